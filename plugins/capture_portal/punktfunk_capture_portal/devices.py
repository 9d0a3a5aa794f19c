"""Keyboard, pointer and fingers: the portal's calls that they are made of."""

from functools import partial

from punktfunk.plugin import (
    NOTCH_120THS,
    HeldButtons,
    HeldFingers,
    HeldKeys,
    PointerMotion,
    PointerPosition,
    ScrollEvent,
    keysym_of,
)
from punktfunk_capture_portal.session import PortalSession

_VERTICAL, _HORIZONTAL = 0, 1
_NOTCH_LENGTH = 10.0


class Devices:
    """Keys go by position; which letters they are is the desktop's layout."""

    def __init__(self, session: PortalSession) -> None:
        self._session = session
        self.keys = HeldKeys(partial(self._press, "KeyboardKeycode"))
        self.buttons = HeldButtons(partial(self._press, "PointerButton"))
        self.fingers = HeldFingers(
            partial(self._touch, "TouchDown"),
            partial(self._touch, "TouchMotion"),
            partial(session.notify, "TouchUp", "u"),
        )

    @property
    def held(self) -> frozenset[int]:
        """Evdev codes of the keys and buttons that are down."""
        return self.keys.held | self.buttons.held

    def release_all(self) -> None:
        self.keys.release_all()
        self.buttons.release_all()
        self.fingers.lift_all()

    def type(self, text: str) -> None:
        for symbol in filter(None, map(keysym_of, text)):
            for pressed in (True, False):
                self._press("KeyboardKeysym", symbol, pressed)

    def move(self, event: PointerMotion) -> None:
        self._session.notify("PointerMotion", "dd", float(event.dx), float(event.dy))

    def move_to(self, event: PointerPosition) -> None:
        node, point = self._session.shared.node, self._session.point(event.x, event.y)
        self._session.notify("PointerMotionAbsolute", "udd", node, *point)

    def scroll(self, event: ScrollEvent) -> None:
        """Whole notches as such, for programs that count them; less than one as a way."""
        # A desktop's axes point down and right, a client's up and right.
        amounts = (_VERTICAL, -event.vertical_120ths), (_HORIZONTAL, event.horizontal_120ths)
        rest = [0.0, 0.0]
        for axis, amount_120ths in amounts:
            if amount_120ths % NOTCH_120THS:
                rest[1 - axis] = amount_120ths / NOTCH_120THS * _NOTCH_LENGTH
            elif amount_120ths:
                notches = amount_120ths // NOTCH_120THS
                self._session.notify("PointerAxisDiscrete", "ui", axis, notches)
        if any(rest):
            self._session.notify("PointerAxis", "dd", *rest)

    def _press(self, member: str, code: int, pressed: bool) -> None:
        self._session.notify(member, "iu", code, int(pressed))

    def _touch(self, member: str, finger: int, x: float, y: float) -> None:
        node, point = self._session.shared.node, self._session.point(x, y)
        self._session.notify(member, "uudd", node, finger, *point)
