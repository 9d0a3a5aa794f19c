"""Picks one offer of a kind. Pure: the same offers and wishes always give the same answer."""

from collections.abc import Iterable, Sequence

from punktfunk.model.offers import Choice, Kind, Offer, PassedOver
from punktfunk.model.video import Codec


def choose(
    kind: Kind,
    offers: Iterable[Offer],
    *,
    wish: str | None = None,
    order: Sequence[str] = (),
    compositor: str | None = None,
    codec: Codec | None = None,
    features: frozenset[str] = frozenset(),
    attach: bool = False,
) -> Choice:
    """Pick the best offer that fits, and say of every other one why not.

    In this order: an explicit wish, which is never replaced by something else; what can
    run here; what fits; the configured order; rank; name. Rank 0 is only for tests, and is
    picked only by an explicit wish.

    Args:
        kind: Offers of other kinds are left out of the answer altogether.
        offers: Available or not.
        wish: The driver that someone asked for by name.
        order: Driver names, most wanted first; those not named come after.
        compositor: The driver of the display that capture or input must work with.
        codec: What an encoder must do.
        features: What the offer must have, all of it.
        attach: The display shall be the desktop that already runs.
    """
    candidates = sorted(
        (offer for offer in offers if offer.kind is kind), key=lambda offer: _place(offer, order)
    )
    picked: Offer | None = None
    passed_over = []
    wish_is_offered = any(offer.driver == wish for offer in candidates)
    for offer in candidates:
        because = (
            _not_wished(offer, wish, wish_is_offered)
            or _cannot_run(offer)
            or _wrong_desktop(offer, attach)
            or _does_not_fit(offer, compositor, codec, features)
            or _only_for_tests(offer, wish)
        )
        if not because and picked is not None:
            because = _comes_after(offer, picked, order)
        if because:
            passed_over.append(PassedOver(offer=offer, because=because))
        else:
            picked = offer
    return Choice(kind=kind, picked=picked, passed_over=tuple(passed_over))


def _place(offer: Offer, order: Sequence[str]) -> tuple[int, int, str]:
    position = order.index(offer.driver) if offer.driver in order else len(order)
    return position, -offer.rank, offer.driver


def _not_wished(offer: Offer, wish: str | None, wish_is_offered: bool) -> str:
    if wish is None or offer.driver == wish:
        return ""
    if wish_is_offered:
        return f"{wish} was asked for by name."
    return f"{wish} was asked for by name, and no plugin here offers it."


def _cannot_run(offer: Offer) -> str:
    availability = offer.availability
    if availability.available:
        return ""
    hint = f" ({availability.hint})" if availability.hint else ""
    return f"It cannot run here: {availability.reason or 'no reason was given'}{hint}."


def _wrong_desktop(offer: Offer, attach: bool) -> str:
    if offer.kind is not Kind.COMPOSITOR or offer.attaches is attach:
        return ""
    if attach:
        return "It shows a desktop of its own, and the one that already runs is wanted."
    return "It shows the desktop that already runs, and one of its own is wanted."


def _does_not_fit(
    offer: Offer, compositor: str | None, codec: Codec | None, features: frozenset[str]
) -> str:
    if compositor is not None and offer.compositors and compositor not in offer.compositors:
        works_with = " or ".join(sorted(offer.compositors))
        return f"It works with {works_with}, not with {compositor}."
    if codec is not None and codec not in offer.codecs:
        codecs = " and ".join(sorted(offer.codecs)) or "no codec"
        return f"It does {codecs}, not {codec}."
    if missing := features - offer.features:
        return f"It has no {' and no '.join(sorted(missing))}."
    return ""


def _only_for_tests(offer: Offer, wish: str | None) -> str:
    if offer.rank == 0 and wish is None:
        return "It is only for tests, and runs only when it is asked for by name."
    return ""


def _comes_after(offer: Offer, picked: Offer, order: Sequence[str]) -> str:
    if offer.driver == picked.driver:
        return "The same driver is offered twice."
    if picked.driver in order:
        return f"The configured order puts {picked.driver} first."
    if offer.rank != picked.rank:
        return f"{picked.driver} has the higher rank, {picked.rank} to {offer.rank}."
    return f"{picked.driver} has the same rank, {offer.rank}, and comes first by name."
