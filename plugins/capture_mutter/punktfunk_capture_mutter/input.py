"""Input into Mutter, by the right to steer the screen that is streamed."""

from collections.abc import Callable, Mapping
from contextlib import suppress

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
from punktfunk_capture_mutter.devices import Devices
from punktfunk_capture_mutter.screen import screen_of


class MutterInput(InputDriver):
    """Keys arrive by position; which letters they are is the desktop's layout."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._devices: Devices | None = None

    def open(self, seat: Seat, display: Display, send_feedback: Callable[[Feedback], None]) -> None:
        """Use the devices that came with the screen; they send no feedback."""
        self._devices = Devices(screen_of(display.environment))

    @property
    def held(self) -> frozenset[int]:
        """Evdev codes of the keys and buttons that are down."""
        return self._devices.held if self._devices else frozenset()

    def handle(self, event: InputEvent) -> None:
        if self._devices is None:
            raise DriverFailed("the input devices are not open")
        match event:
            case PointerMotion():
                self._devices.move(event)
            case PointerPosition():
                self._devices.move_to(event)
            case ButtonEvent():
                self._devices.buttons.handle(event)
            case ScrollEvent():
                self._devices.scroll(event)
            case KeyEvent():
                self._devices.keys.handle(event)
            case TextEvent():
                self._devices.type(event.text)
            case TouchEvent():
                self._devices.fingers.handle(event)

    def release_all(self) -> None:
        if self._devices is None:
            return
        self._devices.release_all()

    def close(self) -> None:
        with suppress(DriverFailed):  # who is gone holds nothing
            self.release_all()
        self._devices = None
