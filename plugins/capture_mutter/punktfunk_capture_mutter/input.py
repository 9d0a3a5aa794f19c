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
from punktfunk_capture_mutter.devices import Fingers, Keyboard, Pointer
from punktfunk_capture_mutter.screen import screen_of


class MutterInput(InputDriver):
    """Keys arrive by position; which letters they are is the desktop's layout."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._is_open = False
        self._keyboard: Keyboard
        self._pointer: Pointer
        self._fingers: Fingers

    def open(self, seat: Seat, display: Display, send_feedback: Callable[[Feedback], None]) -> None:
        """Use the devices that came with the screen; they send no feedback."""
        screen = screen_of(display.environment)
        self._keyboard = Keyboard(screen)
        self._pointer = Pointer(screen)
        self._fingers = Fingers(screen)
        self._is_open = True

    @property
    def held(self) -> frozenset[int]:
        """Evdev codes of the keys and buttons that are down."""
        return self._keyboard.held | self._pointer.held if self._is_open else frozenset()

    def handle(self, event: InputEvent) -> None:
        if not self._is_open:
            raise DriverFailed("the input devices are not open")
        match event:
            case PointerMotion():
                self._pointer.move(event)
            case PointerPosition():
                self._pointer.move_to(event)
            case ButtonEvent():
                self._pointer.press(event)
            case ScrollEvent():
                self._pointer.scroll(event)
            case KeyEvent():
                self._keyboard.handle(event)
            case TextEvent():
                self._keyboard.type(event.text)
            case TouchEvent() if not event.kind.hovers:
                self._fingers.handle(event)

    def release_all(self) -> None:
        if not self._is_open:
            return
        self._keyboard.release_all()
        self._pointer.release_all()
        self._fingers.lift_all()

    def close(self) -> None:
        with suppress(DriverFailed):  # who is gone holds nothing
            self.release_all()
        self._is_open = False
