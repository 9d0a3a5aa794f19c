from hypothesis import given
from hypothesis import strategies as st

from punktfunk.model.offers import Availability, Choice, Kind, Offer
from punktfunk.model.video import Codec
from punktfunk.registry.ranking import choose

NO = Availability.no("no card was found", hint="put one in")


def offer(driver: str, rank: int = 10, kind: Kind = Kind.ENCODE, **fields: object) -> Offer:
    fields.setdefault("availability", Availability.yes())
    return Offer(kind=kind, driver=driver, rank=rank, **fields)  # type: ignore[arg-type]


def because(choice: Choice, driver: str) -> str:
    return next(over.because for over in choice.passed_over if over.offer.driver == driver)


def picked(choice: Choice) -> str | None:
    return choice.picked.driver if choice.picked else None


def test_the_highest_rank_wins() -> None:
    choice = choose(Kind.ENCODE, [offer("software", 10), offer("nvenc", 100)])

    assert picked(choice) == "nvenc"
    assert because(choice, "software") == "nvenc has the higher rank, 100 to 10."


def test_what_cannot_run_is_passed_over_with_its_reason_and_hint() -> None:
    choice = choose(Kind.ENCODE, [offer("software"), offer("nvenc", 100, availability=NO)])

    assert picked(choice) == "software"
    assert because(choice, "nvenc") == "It cannot run here: no card was found (put one in)."


def test_the_configured_order_beats_rank() -> None:
    choice = choose(
        Kind.ENCODE, [offer("software", 10), offer("nvenc", 100)], order=["software", "nvenc"]
    )

    assert picked(choice) == "software"
    assert because(choice, "nvenc") == "The configured order puts software first."


def test_a_desktop_that_runs_is_shown_only_when_that_is_wanted() -> None:
    offers = [
        offer("kwin", 40, Kind.COMPOSITOR),
        offer("kwin", 40, Kind.COMPOSITOR, attaches=True),
        offer("wlroots", 50, Kind.COMPOSITOR),
    ]

    own, attached = (choose(Kind.COMPOSITOR, offers, attach=attach) for attach in (False, True))

    assert (picked(own), picked(attached)) == ("wlroots", "kwin")
    assert attached.picked is not None
    assert attached.picked.attaches
    assert because(attached, "wlroots") == (
        "It shows a desktop of its own, and the one that already runs is wanted."
    )
    assert {over.because for over in own.passed_over if over.offer.attaches} == {
        "It shows the desktop that already runs, and one of its own is wanted."
    }


def test_what_is_in_the_order_comes_before_what_is_not() -> None:
    choice = choose(Kind.ENCODE, [offer("software", 10), offer("nvenc", 100)], order=["software"])

    assert picked(choice) == "software"


def test_a_wish_beats_order_and_rank() -> None:
    offers = [offer("a", 100), offer("b", 50), offer("c", 10)]

    choice = choose(Kind.ENCODE, offers, wish="c", order=["b"])

    assert picked(choice) == "c"
    assert because(choice, "a") == "c was asked for by name."


def test_a_wish_that_cannot_run_is_not_replaced() -> None:
    choice = choose(Kind.ENCODE, [offer("software"), offer("nvenc", availability=NO)], wish="nvenc")

    assert choice.picked is None
    assert because(choice, "nvenc") == "It cannot run here: no card was found (put one in)."
    assert because(choice, "software") == "nvenc was asked for by name."


def test_a_wish_that_nobody_offers_is_not_replaced() -> None:
    choice = choose(Kind.ENCODE, [offer("software")], wish="vaapi")

    assert choice.picked is None
    assert (
        because(choice, "software") == "vaapi was asked for by name, and no plugin here offers it."
    )


def test_a_wish_that_does_not_fit_is_not_picked() -> None:
    offers = [offer("software", codecs={Codec.H264})]

    choice = choose(Kind.ENCODE, offers, wish="software", codec=Codec.AV1)

    assert choice.picked is None
    assert because(choice, "software") == "It does h264, not av1."


def test_rank_zero_is_never_picked_by_itself_not_even_by_the_order() -> None:
    card = offer("testcard", 0, Kind.CAPTURE)

    choice = choose(Kind.CAPTURE, [card], order=["testcard"])

    assert choice.picked is None
    assert "only for tests" in because(choice, "testcard")
    assert picked(choose(Kind.CAPTURE, [card], wish="testcard")) == "testcard"


def test_capture_must_work_with_the_compositor() -> None:
    offers = [
        offer("kwin", 100, Kind.CAPTURE, compositors={"kwin"}),
        offer("wlroots", 50, Kind.CAPTURE, compositors={"wlroots", "hyprland"}),
        offer("portal", 10, Kind.CAPTURE),
    ]

    choice = choose(Kind.CAPTURE, offers, compositor="wlroots")

    assert picked(choice) == "wlroots"
    assert because(choice, "kwin") == "It works with kwin, not with wlroots."
    assert picked(choose(Kind.CAPTURE, offers, compositor="sway")) == "portal"


def test_every_feature_asked_for_must_be_there() -> None:
    offers = [offer("a", 100, features={"rfi"}), offer("b", 10, features={"rfi", "hdr", "444"})]

    choice = choose(Kind.ENCODE, offers, features=frozenset({"hdr", "444"}))

    assert picked(choice) == "b"
    assert because(choice, "a") == "It has no 444 and no hdr."


def test_offers_of_other_kinds_are_not_part_of_the_answer() -> None:
    choice = choose(Kind.ENCODE, [offer("testcard", 100, Kind.CAPTURE)])

    assert choice == Choice(kind=Kind.ENCODE, picked=None)


def test_a_tie_is_broken_by_name_and_said_so() -> None:
    choice = choose(Kind.ENCODE, [offer("b", 50), offer("a", 50)])

    assert picked(choice) == "a"
    assert because(choice, "b") == "a has the same rank, 50, and comes first by name."


OFFERS = st.lists(
    st.builds(
        offer,
        st.sampled_from(["a", "b", "c", "d"]),
        st.sampled_from([0, 10, 50, 100]),
        st.sampled_from([Kind.ENCODE, Kind.CAPTURE]),
        availability=st.sampled_from([Availability.yes(), NO]),
        codecs=st.frozensets(st.sampled_from(Codec)),
    ),
    max_size=6,
    unique_by=lambda made: (made.kind, made.driver),
)


@given(
    offers=OFFERS,
    shuffled=st.randoms(use_true_random=False),
    wish=st.sampled_from([None, "a", "z"]),
    order=st.lists(st.sampled_from(["a", "b", "c"]), unique=True),
    codec=st.sampled_from([None, *Codec]),
)
def test_the_answer_is_complete_and_does_not_depend_on_the_order_of_installation(
    offers: list[Offer],
    shuffled: object,
    wish: str | None,
    order: list[str],
    codec: Codec | None,
) -> None:
    choice = choose(Kind.ENCODE, offers, wish=wish, order=order, codec=codec)
    others = list(offers)
    shuffled.shuffle(others)  # type: ignore[attr-defined]

    assert choose(Kind.ENCODE, others, wish=wish, order=order, codec=codec) == choice
    answered = [over.offer for over in choice.passed_over]
    answered += [choice.picked] if choice.picked else []
    assert sorted(found.driver for found in answered) == sorted(
        found.driver for found in offers if found.kind is Kind.ENCODE
    )
    assert all(over.because.endswith(".") for over in choice.passed_over)
    if choice.picked is not None:
        assert choice.picked.availability.available
        assert wish in (None, choice.picked.driver)
        assert choice.picked.rank > 0 or wish == choice.picked.driver
