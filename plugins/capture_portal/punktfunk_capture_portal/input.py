"""Input into the shared desktop, as far as the person at the machine allowed it."""

from collections.abc import Callable, Mapping

from punktfunk.plugin import (
    ButtonEvent,
    Display,
    DriverFailed,
    Feedback,
    InputDriver,
    InputEvent,
    KeyEvent,
    PointerMotion,
    PointerPosition,
    ScrollEvent,
    Seat,
    TextEvent,
    TouchEvent,
)
from punktfunk_capture_portal.devices import Fingers, Keyboard, Pointer
from punktfunk_capture_portal.portal import KEYBOARD, POINTER, TOUCHSCREEN
from punktfunk_capture_portal.session import session_of

_NO_KEY = 240
"""KEY_UNKNOWN: no layout has anything on it."""


class PortalInput(InputDriver):
    """What was not allowed is ignored: the portal would refuse it."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._allowed: int | None = None
        self._keyboard: Keyboard
        self._pointer: Pointer
        self._fingers: Fingers

    def open(self, seat: Seat, display: Display, send_feedback: Callable[[Feedback], None]) -> None:
        """Begin; no feedback ever comes."""
        session = session_of(display)
        self._keyboard = Keyboard(session)
        self._pointer = Pointer(session)
        self._fingers = Fingers(session)
        self._allowed = session.shared.devices
        # Some desktops make a device at its first event, which nobody gets then.
        if self._allowed & KEYBOARD:
            for pressed in (True, False):
                self._keyboard.handle(KeyEvent(vk=0, evdev=_NO_KEY, pressed=pressed))
        if self._allowed & POINTER:
            self._pointer.move(PointerMotion(0, 0))

    @property
    def held(self) -> frozenset[int]:
        """Evdev codes of the keys and buttons that are down."""
        if self._allowed is None:
            return frozenset()
        return self._keyboard.held | self._pointer.held

    def handle(self, event: InputEvent) -> None:
        if self._allowed is None:
            raise DriverFailed("the input devices are not open")
        match event:
            case PointerMotion() if self._allowed & POINTER:
                self._pointer.move(event)
            case PointerPosition() if self._allowed & POINTER:
                self._pointer.move_to(event)
            case ButtonEvent() if self._allowed & POINTER:
                self._pointer.press(event)
            case ScrollEvent() if self._allowed & POINTER:
                self._pointer.scroll(event)
            case KeyEvent() if self._allowed & KEYBOARD:
                self._keyboard.handle(event)
            case TextEvent() if self._allowed & KEYBOARD:
                self._keyboard.type(event)
            case TouchEvent() if self._allowed & TOUCHSCREEN and not event.kind.hovers:
                self._fingers.handle(event)

    def release_all(self) -> None:
        if self._allowed is not None:
            self._keyboard.release_all()
            self._pointer.release_all()
            self._fingers.lift_all()

    def close(self) -> None:
        self._allowed = None
