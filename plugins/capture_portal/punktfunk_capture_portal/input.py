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
from punktfunk_capture_portal.devices import Devices
from punktfunk_capture_portal.portal import KEYBOARD, POINTER, TOUCHSCREEN
from punktfunk_capture_portal.session import session_of

_NO_KEY = 240
"""KEY_UNKNOWN: no layout has anything on it."""


class PortalInput(InputDriver):
    """What was not allowed is ignored: the portal would refuse it."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._devices: Devices | None = None
        self._allowed = 0

    def open(self, seat: Seat, display: Display, send_feedback: Callable[[Feedback], None]) -> None:
        """Begin; no feedback ever comes."""
        session = session_of(display)
        self._devices = devices = Devices(session)
        self._allowed = session.shared.devices
        # Some desktops make a device at its first event, which nobody gets then.
        if self._allowed & KEYBOARD:
            for pressed in (True, False):
                devices.keys.handle(KeyEvent(vk=0, evdev=_NO_KEY, pressed=pressed))
        if self._allowed & POINTER:
            devices.move(PointerMotion(0, 0))

    @property
    def held(self) -> frozenset[int]:
        """Evdev codes of the keys and buttons that are down."""
        return self._devices.held if self._devices else frozenset()

    def handle(self, event: InputEvent) -> None:
        if self._devices is None:
            raise DriverFailed("the input devices are not open")
        match event:
            case PointerMotion() if self._allowed & POINTER:
                self._devices.move(event)
            case PointerPosition() if self._allowed & POINTER:
                self._devices.move_to(event)
            case ButtonEvent() if self._allowed & POINTER:
                self._devices.buttons.handle(event)
            case ScrollEvent() if self._allowed & POINTER:
                self._devices.scroll(event)
            case KeyEvent() if self._allowed & KEYBOARD:
                self._devices.keys.handle(event)
            case TextEvent() if self._allowed & KEYBOARD:
                self._devices.type(event.text)
            case TouchEvent() if self._allowed & TOUCHSCREEN:
                self._devices.fingers.handle(event)

    def release_all(self) -> None:
        if self._devices is not None:
            self._devices.release_all()

    def close(self) -> None:
        self._devices = None
