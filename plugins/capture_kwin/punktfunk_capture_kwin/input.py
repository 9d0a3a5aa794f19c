"""Input into KWin: its protocol for made-up input events."""

from collections.abc import Callable, Mapping
from typing import Any

from pywayland.protocol.xdg_output_unstable_v1 import ZxdgOutputManagerV1

from punktfunk.plugin import (
    ButtonEvent,
    Display,
    DriverFailed,
    DriverUnavailable,
    Feedback,
    InputDriver,
    InputEvent,
    KeyEvent,
    PointerArea,
    PointerMotion,
    PointerPosition,
    ScrollEvent,
    Seat,
    TouchEvent,
)
from punktfunk_capture_kwin.devices import Devices
from punktfunk_capture_kwin.protocols import FakeInput
from punktfunk_capture_kwin.settings import DRIVER
from punktfunk_capture_kwin.wayland import Connection

WITH_KEYS = 4


class KwinInput(InputDriver):
    """Keys arrive by position; which letters they are is KWin's layout."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._connection: Connection | None = None
        self._devices: Devices

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
        return self._devices.held if self._connection else frozenset()

    def handle(self, event: InputEvent) -> None:
        if self._connection is None:
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
            case TouchEvent():
                self._devices.fingers.handle(event)
            case _:
                return
        self._connection.send()

    def release_all(self) -> None:
        if self._connection is None:
            return
        self._devices.release_all()
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
        self._devices = Devices(device, _area(connection, output))
        connection.roundtrip()


def _area(connection: Connection, name: str) -> PointerArea:
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
    return PointerArea(*place["position"], *place["size"])
