"""Input into gamescope, through its socket for emulated input."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from punktfunk.plugin import (
    ButtonEvent,
    ContactKind,
    Display,
    DriverFailed,
    DriverUnavailable,
    Feedback,
    InputDriver,
    InputEvent,
    KeyEvent,
    PointerMotion,
    PointerPosition,
    ScrollEvent,
    Seat,
    TouchEvent,
)
from punktfunk_capture_gamescope.eis import EisConnection, socket_name
from punktfunk_capture_gamescope.hands import Hands
from punktfunk_capture_gamescope.settings import DRIVER


class GamescopeInput(InputDriver):
    """Keys arrive by position; which letters they are is for gamescope's X server to say."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._connection: EisConnection | None = None
        self._hands: Hands

    def open(self, seat: Seat, display: Display, send_feedback: Callable[[Feedback], None]) -> None:
        """Connect; nothing sends feedback."""
        path = Path(display.environment.get("XDG_RUNTIME_DIR", "")) / socket_name(display.output)
        if not path.is_socket():
            raise DriverUnavailable(
                DRIVER,
                f"this gamescope takes no input: there is no {path.name}",
                hint="use a gamescope that is built with libeis",
            )
        try:
            self._connection = EisConnection(path, "punktfunk")
        except DriverUnavailable as error:
            raise DriverUnavailable(DRIVER, error.reason, hint=error.hint) from error
        size_px = display.mode.width_px, display.mode.height_px
        self._hands = Hands(self._connection, size_px, display.output)

    @property
    def held(self) -> frozenset[int]:
        """Evdev codes of the keys and buttons that are down."""
        return self._hands.held if self._connection is not None else frozenset()

    def handle(self, event: InputEvent) -> None:
        if self._connection is None:
            raise DriverFailed("the input devices are not open")
        self._hands.update()
        match event:
            case PointerMotion():
                self._hands.move(event)
            case PointerPosition():
                self._hands.move_to(event)
            case ButtonEvent():
                self._hands.press(event)
            case ScrollEvent():
                self._hands.scroll(event)
            case KeyEvent():
                self._hands.key(event)
            case TouchEvent() if event.kind not in (ContactKind.HOVER, ContactKind.HOVER_LEAVE):
                self._hands.touch(event)

    def release_all(self) -> None:
        if self._connection is not None:
            self._hands.update()
            self._hands.release_all()

    def close(self) -> None:
        """Gamescope keeps what is down on a device that goes away, so let go of it first."""
        if self._connection is not None:
            with suppress(DriverFailed):
                self.release_all()
            self._connection.close()
        self._connection = None
