"""Input of all clients of a session, into its one set of devices."""

import itertools
from collections.abc import Callable, Hashable

import attrs

from punktfunk.model.feedback import Feedback, HdrMode
from punktfunk.model.input import (
    MAX_PADS,
    ButtonEvent,
    ContactKind,
    InputEvent,
    KeyEvent,
    Modifiers,
    PadArrival,
    PadBattery,
    PadMotion,
    PadRemoved,
    PadState,
    PadTouch,
    PenEvent,
    TouchEvent,
)

_DOWN = (ContactKind.DOWN, ContactKind.MOVE, ContactKind.HOVER)
_UP = (ContactKind.UP, ContactKind.CANCEL, ContactKind.HOVER_LEAVE)
_MAX_HELD = 256
"""More than hands can hold at once; what comes on top is not done."""
_PadEvent = PadArrival | PadState | PadRemoved | PadTouch | PadMotion | PadBattery


class Hands:
    """Knows who holds what, so that a client that leaves lets go of its own and no more.

    Pads and fingers of different clients are told apart; keys, buttons and the pointer are
    the session's, and what two hold is released with the second.

    Args:
        handle: Gives an event to the session's devices.
    """

    def __init__(self, handle: Callable[[InputEvent], None]) -> None:
        self._handle = handle
        self._held: dict[Hashable, dict[int, InputEvent]] = {}
        self._pads: dict[tuple[int, int], int] = {}
        self._fingers: dict[tuple[int, int], int] = {}

    def take(self, place: int, event: InputEvent) -> None:
        """Do what the client in this place did."""
        if isinstance(event, _PadEvent):
            pad = self._pad_of(place, event.pad)
            if pad is None:
                return
            event = attrs.evolve(event, pad=pad)
        elif isinstance(event, TouchEvent):
            if event.kind is ContactKind.CANCEL_ALL:
                self._lift_fingers(place)
                return
            finger = self._finger_of(place, event.pointer_id)
            if finger is None:
                return
            if event.kind in _UP:
                del self._fingers[place, event.pointer_id]
            event = attrs.evolve(event, pointer_id=finger)
        if self._is_for_us(place, event):
            self._handle(event)
        if isinstance(event, PadRemoved):
            self._forget_pad(event.pad)

    def let_go(self, place: int, *, with_pads: bool) -> None:
        """Release what this client holds and nobody else does.

        Args:
            with_pads: Unplug its pads, too.
        """
        for what, holders in list(self._held.items()):
            release = holders.pop(place, None)
            if not holders:
                del self._held[what]
                if release is not None:
                    self._handle(release)
        self._forget_fingers(place)
        if with_pads:
            for (owner, _), pad in list(self._pads.items()):
                if owner == place:
                    self._forget_pad(pad)
                    self._handle(PadRemoved(pad))

    def addressed(self, feedback: Feedback) -> tuple[int | None, Feedback] | None:
        """For the client in which place it is, in its own words; None in it means for all.

        None as a whole: the pad is nobody's any more.
        """
        if isinstance(feedback, HdrMode):
            return None, feedback
        for (place, number), pad in self._pads.items():
            if pad == feedback.pad:
                return place, attrs.evolve(feedback, pad=number)
        return None

    def _is_for_us(self, place: int, event: InputEvent) -> bool:
        """Note who holds what. What somebody else still holds is not released."""
        what, release = _grip(event)
        if what is None:
            return True
        holders = self._held.get(what, {})
        if release is not None:
            if place not in holders and self._holds(place) >= _MAX_HELD:
                return False
            self._held.setdefault(what, holders)[place] = release
            return True
        holders.pop(place, None)
        if not holders:
            self._held.pop(what, None)
        return not holders

    def _holds(self, place: int) -> int:
        return sum(place in holders for holders in self._held.values())

    def _finger_of(self, place: int, number: int) -> int | None:
        """The session's number for a client's finger: the same one, if it is free."""
        if (place, number) not in self._fingers:
            if sum(owner == place for owner, _ in self._fingers) >= _MAX_HELD:
                return None
            taken = set(self._fingers.values())
            self._fingers[place, number] = next(
                it for it in itertools.chain([number], itertools.count()) if it not in taken
            )
        return self._fingers[place, number]

    def _forget_fingers(self, place: int) -> None:
        self._fingers = {it: ours for it, ours in self._fingers.items() if it[0] != place}

    def _lift_fingers(self, place: int) -> None:
        for holders in list(self._held.values()):
            release = holders.get(place)
            if isinstance(release, TouchEvent):
                cancel = attrs.evolve(release, kind=ContactKind.CANCEL)
                if self._is_for_us(place, cancel):
                    self._handle(cancel)
        self._forget_fingers(place)

    def _pad_of(self, place: int, number: int) -> int | None:
        """The session's number for a client's pad: the same one, if it is free."""
        if (place, number) not in self._pads:
            taken = set(self._pads.values())
            free = [pad for pad in (number, *range(MAX_PADS)) if pad not in taken]
            if not free:
                return None
            self._pads[place, number] = free[0]
        return self._pads[place, number]

    def _forget_pad(self, pad: int) -> None:
        self._pads = {whose: it for whose, it in self._pads.items() if it != pad}


def _grip(event: InputEvent) -> tuple[Hashable, InputEvent | None]:
    """What the event is about, if that can be held, and what releases it; None: it did."""
    match event:
        case KeyEvent(vk=name, pressed=down):
            release = attrs.evolve(event, pressed=False, modifiers=Modifiers.NONE)
            return ("key", name), release if down else None
        case ButtonEvent(button=name, pressed=down):
            return ("button", name), ButtonEvent(name, pressed=False) if down else None
        case PadState(pad=pad):
            neutral = PadState(pad=pad)
            return ("pad", pad), neutral if event != neutral else None
        case PadRemoved(pad=pad):
            return ("pad", pad), None
        case TouchEvent(pointer_id=finger):
            return _contact(event, ("finger", finger))
        case PenEvent():
            return _contact(event, "pen")
        case PadTouch(pad=pad, touchpad=touchpad, pointer_id=finger):
            return _contact(event, ("pad finger", pad, touchpad, finger))
    return None, None


def _contact(
    event: TouchEvent | PenEvent | PadTouch, what: Hashable
) -> tuple[Hashable, InputEvent | None]:
    if event.kind in _DOWN:
        hovers = event.kind is ContactKind.HOVER
        return what, attrs.evolve(event, kind=ContactKind.HOVER_LEAVE if hovers else ContactKind.UP)
    return (what, None) if event.kind in _UP else (None, None)
