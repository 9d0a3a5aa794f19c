"""Input into a wlroots compositor: a virtual pointer and two virtual keyboards."""

from collections.abc import Callable, Mapping

from pywayland.protocol.wayland import WlSeat

from punktfunk.plugin import (
    ButtonEvent,
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
    TextEvent,
)
from punktfunk_capture_wlroots.keyboard import KeyKeyboard, TextKeyboard
from punktfunk_capture_wlroots.pointer import Pointer
from punktfunk_capture_wlroots.protocols import VirtualKeyboardManager, VirtualPointerManager
from punktfunk_capture_wlroots.settings import WlrootsSettings
from punktfunk_capture_wlroots.wayland import Connection
from punktfunk_capture_wlroots.xkb import KeyboardState


class WlrootsInput(InputDriver):
    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._layout = WlrootsSettings.read(self.settings).keyboard_layout
        self._connection: Connection | None = None
        self._state: KeyboardState | None = None
        self._keys: KeyKeyboard | None = None
        self._text: TextKeyboard | None = None
        self._pointer: Pointer | None = None

    def open(self, seat: Seat, display: Display, send_feedback: Callable[[Feedback], None]) -> None:
        """Create the devices; they send no feedback."""
        try:
            self._state = KeyboardState(self._layout)
            self._connection = Connection(display.environment)
            self._create_devices(self._connection, self._state, display.output)
        except DriverFailed as error:
            self.close()
            raise DriverUnavailable("wlroots", str(error)) from error
        except BaseException:
            self.close()
            raise

    @property
    def held(self) -> frozenset[int]:
        """Evdev codes of the keys and buttons that are down."""
        if self._keys is None or self._pointer is None:
            return frozenset()
        return self._keys.held | self._pointer.buttons.held

    def handle(self, event: InputEvent) -> None:
        if self._connection is None:
            raise DriverFailed("the input devices are not open")
        assert self._keys is not None
        assert self._text is not None
        assert self._pointer is not None
        match event:
            case PointerMotion():
                self._pointer.move(event)
            case PointerPosition():
                self._pointer.move_to(event)
            case ButtonEvent():
                self._pointer.buttons.handle(event)
            case ScrollEvent():
                self._pointer.scroll(event)
            case KeyEvent():
                self._keys.handle(event)
            case TextEvent():
                self._text.type(event.text)
            case _:
                return
        self._connection.send()

    def release_all(self) -> None:
        if self._connection is None or self._keys is None or self._pointer is None:
            return
        self._keys.release_all()
        self._pointer.buttons.release_all()
        self._connection.send()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._state is not None:
            self._state.close()
        self._connection = self._state = self._keys = self._text = self._pointer = None

    def _create_devices(self, connection: Connection, state: KeyboardState, output: str) -> None:
        seat = connection.bind(WlSeat, 1)
        pointers = connection.bind(VirtualPointerManager, 2)
        keyboards = connection.bind(VirtualKeyboardManager, 1)
        screen = connection.bind_output(output).proxy
        pointer = connection.own(pointers.create_virtual_pointer_with_output(seat, screen))
        text = connection.own(keyboards.create_virtual_keyboard(seat))
        keys = connection.own(keyboards.create_virtual_keyboard(seat))
        self._pointer = Pointer(pointer)
        self._text = TextKeyboard(text)
        self._keys = KeyKeyboard(keys, state)
        connection.roundtrip()
