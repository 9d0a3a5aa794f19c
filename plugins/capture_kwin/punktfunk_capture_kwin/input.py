"""Input into KWin: its protocol for made-up input events."""

from collections.abc import Callable, Mapping
from typing import Any

from pywayland.protocol.xdg_output_unstable_v1 import ZxdgOutputManagerV1

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
from punktfunk_capture_kwin.devices import Fingers, Keyboard, Pointer, Screen
from punktfunk_capture_kwin.protocols import FakeInput
from punktfunk_capture_kwin.settings import DRIVER
from punktfunk_capture_kwin.wayland import Connection

WITH_KEYS = 4


class KwinInput(InputDriver):
    """Keys arrive by position; which letters they are is KWin's layout."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._connection: Connection | None = None
        self._keyboard: Keyboard
        self._pointer: Pointer
        self._fingers: Fingers

    def open(self, seat: Seat, display: Display, send_feedback: Callable[[Feedback], None]) -> None:
        """Create the devices; they send no feedback."""
        try:
            self._connection = Connection(display.environment)
            self._create_devices(self._connection, display.output)
        except DriverFailed as error:
            self.close()
            raise DriverUnavailable(DRIVER, str(error)) from error
        except BaseException:
            self.close()
            raise

    @property
    def held(self) -> frozenset[int]:
        """Evdev codes of the keys and buttons that are down."""
        return self._keyboard.held | self._pointer.held if self._connection else frozenset()

    def handle(self, event: InputEvent) -> None:
        if self._connection is None:
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
            case TouchEvent() if event.kind not in (ContactKind.HOVER, ContactKind.HOVER_LEAVE):
                self._fingers.handle(event)
            case _:
                return
        self._connection.send()

    def release_all(self) -> None:
        if self._connection is None:
            return
        self._keyboard.release_all()
        self._pointer.release_all()
        self._fingers.lift_all()
        self._connection.send()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _create_devices(self, connection: Connection, output: str) -> None:
        device = connection.bind(FakeInput, FakeInput.version)
        if connection.version(FakeInput) < WITH_KEYS:
            raise DriverUnavailable(
                DRIVER, "this KWin takes no keys", hint="use KWin 5.27 or newer"
            )
        device.authenticate("punktfunk", "a streaming client's keyboard, mouse and touch screen")
        screen = _screen(connection, output)
        self._keyboard = Keyboard(device)
        self._pointer = Pointer(device, screen)
        self._fingers = Fingers(device, screen)
        connection.roundtrip()


def _screen(connection: Connection, name: str) -> Screen:
    """Where the output is on the desktop, in the desktop's own units."""
    output = connection.bind_output(name)
    manager = connection.bind(ZxdgOutputManagerV1, 3)
    described = connection.own(manager.get_xdg_output(output))
    place: dict[str, Any] = {"position": (0, 0), "size": (0, 0)}
    described.dispatcher["logical_position"] = lambda _, x, y: place.update(position=(x, y))
    described.dispatcher["logical_size"] = lambda _, w, h: place.update(size=(w, h))
    connection.roundtrip()
    if not all(place["size"]):
        raise DriverFailed(f"KWin does not say how large the output {name} is")
    return Screen(*place["position"], *place["size"])
