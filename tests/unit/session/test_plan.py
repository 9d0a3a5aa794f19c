import attrs
import pytest

from punktfunk.errors import Refused
from punktfunk.model.apps import App
from punktfunk.model.offers import Availability, Kind, Offer
from punktfunk.session.plan import Preferences, cast_drivers, casts_in_order

YES = Availability.yes()
DESKTOP = App(library_id="builtin:desktop", title="Desktop")
PATTERN = App(
    library_id="builtin:test-pattern",
    title="Test pattern",
    wishes={"compositor": "null", "capture": "testcard", "audio": "tone", "input": "memory"},
)
TEST_ONLY = [
    Offer(kind=Kind.COMPOSITOR, driver="null", rank=0, availability=YES),
    Offer(kind=Kind.CAPTURE, driver="testcard", rank=0, availability=YES),
    Offer(kind=Kind.AUDIO, driver="tone", rank=0, availability=YES),
    Offer(kind=Kind.INPUT, driver="memory", rank=0, availability=YES),
    Offer(kind=Kind.ENCODE, driver="software", rank=10, availability=YES),
    Offer(kind=Kind.AUDIO_ENCODE, driver="opus", rank=10, availability=YES),
]


def real(available: Availability) -> list[Offer]:
    return [
        Offer(kind=Kind.COMPOSITOR, driver="wlroots", rank=50, availability=available),
        Offer(kind=Kind.CAPTURE, driver="wlroots", rank=50, availability=available,
              compositors=frozenset({"wlroots"})),
        Offer(kind=Kind.INPUT, driver="wlroots", rank=50, availability=available,
              compositors=frozenset({"wlroots"})),
        Offer(kind=Kind.AUDIO, driver="pulse", rank=50, availability=YES),
    ]  # fmt: skip


def cast(app, offers):
    return cast_drivers(
        app, lambda kind: [offer for offer in offers if offer.kind is kind], Preferences()
    )


def test_a_desktop_gets_the_drivers_that_belong_together():
    drivers = cast(DESKTOP, TEST_ONLY + real(YES))

    assert drivers.compositor.driver == "wlroots"
    assert drivers.capture.driver == "wlroots"
    assert drivers.input.driver == "wlroots"
    assert drivers.audio.driver == "pulse"


def test_the_test_pattern_gets_what_it_asks_for_even_where_a_desktop_is():
    drivers = cast(PATTERN, TEST_ONLY + real(YES))

    assert (drivers.compositor.driver, drivers.capture.driver) == ("null", "testcard")


def test_the_test_card_never_stands_in_for_a_desktop():
    with pytest.raises(Refused) as refused:
        cast(DESKTOP, TEST_ONLY)

    assert refused.value.fields["status"] == 503


def test_a_refusal_says_why_and_what_to_do():
    broken = real(Availability.no("sway is not installed", hint="apt install sway"))

    with pytest.raises(Refused, match=r"sway is not installed.*apt install sway"):
        cast(DESKTOP, TEST_ONLY + broken)


def test_the_next_best_encoder_is_kept_in_reserve():
    hardware = Offer(kind=Kind.ENCODE, driver="nvenc", rank=100, availability=YES)

    drivers = cast(PATTERN, [*TEST_ONLY, hardware])

    assert [offer.driver for offer in drivers.encoders] == ["nvenc", "software"]


def test_the_running_desktop_is_attached_to_where_that_is_wanted():
    running = Offer(kind=Kind.COMPOSITOR, driver="wlroots", attaches=True, availability=YES)
    offers = [*TEST_ONLY, *real(YES), running]
    by_kind = lambda kind: [offer for offer in offers if offer.kind is kind]  # noqa: E731

    desktop, pattern = (
        cast_drivers(app, by_kind, Preferences(), attach=True) for app in (DESKTOP, PATTERN)
    )

    assert desktop.compositor is running
    assert (pattern.compositor.driver, pattern.compositor.attaches) == ("null", False)


def test_no_desktop_of_its_own_stands_in_for_the_running_one():
    with pytest.raises(Refused, match="the one that already runs is wanted"):
        cast_drivers(
            DESKTOP,
            lambda kind: [it for it in (*TEST_ONLY, *real(YES)) if it.kind is kind],
            Preferences(),
            attach=True,
        )


PADS = Offer(kind=Kind.GAMEPAD, driver="uinput", rank=50, availability=YES)


def test_a_desktop_gets_gamepads_where_there_are_some():
    drivers = cast(DESKTOP, [*TEST_ONLY, *real(YES), PADS])

    assert drivers.gamepad == PADS


@pytest.mark.parametrize(
    "offers",
    [
        [],
        [Offer(kind=Kind.GAMEPAD, driver="uinput", availability=Availability.no("no uinput"))],
        [Offer(kind=Kind.GAMEPAD, driver="memory", rank=0, availability=YES)],
    ],
)
def test_nothing_is_refused_for_want_of_gamepads(offers):
    drivers = cast(DESKTOP, [*TEST_ONLY, *real(YES), *offers])

    assert drivers.gamepad is None
    assert drivers.choices[-1].kind is Kind.GAMEPAD


def test_a_wish_for_gamepads_that_cannot_run_refuses_nothing():
    wishful = App(library_id="x:1", title="X", wishes={"gamepad": "uinput"})
    memory = Offer(kind=Kind.GAMEPAD, driver="memory", rank=0, availability=YES)

    assert cast(wishful, [*TEST_ONLY, *real(YES), memory]).gamepad is None


def attaching(driver: str, rank: int, available: Availability = YES) -> list[Offer]:
    only = frozenset({driver})
    return [
        Offer(kind=Kind.COMPOSITOR, driver=driver, rank=rank, availability=available,
              attaches=True),
        Offer(kind=Kind.CAPTURE, driver=driver, rank=rank, availability=available,
              compositors=only),
        Offer(kind=Kind.INPUT, driver=driver, rank=rank, availability=available,
              compositors=only),
    ]  # fmt: skip


def tried(app: App, *, attach: bool = True, order: tuple[str, ...] = ()) -> list[list[str]]:
    offers = [
        *TEST_ONLY,
        *real(YES),
        *attaching("portal", 3),
        *attaching("x11", 10),
        *attaching("kwin", 40, Availability.no("no Plasma runs")),
    ]
    casts = casts_in_order(
        app,
        lambda kind: [offer for offer in offers if offer.kind is kind],
        Preferences(order={Kind.COMPOSITOR: order}),
        attach=attach,
    )
    return [[cast.compositor.driver, cast.capture.driver, cast.input.driver] for cast in casts]


def test_running_desktops_are_tried_one_after_the_other():
    assert tried(DESKTOP) == [["x11"] * 3, ["portal"] * 3]
    assert tried(DESKTOP, order=("portal",)) == [["portal"] * 3, ["x11"] * 3]


def test_a_display_of_its_own_and_one_that_was_asked_for_are_tried_alone():
    wish = attrs.evolve(DESKTOP, wishes={"compositor": "portal"})

    assert tried(DESKTOP, attach=False) == [["wlroots"] * 3]
    assert tried(wish) == [["portal"] * 3]


def test_nothing_to_try_is_refused():
    with pytest.raises(Refused, match="the one that already runs is wanted"):
        casts_in_order(
            DESKTOP,
            lambda kind: [it for it in (*TEST_ONLY, *real(YES)) if it.kind is kind],
            Preferences(),
            attach=True,
        )
