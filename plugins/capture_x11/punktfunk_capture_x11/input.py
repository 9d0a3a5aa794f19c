"""Input into an X display of our own."""

import re
import time
from collections.abc import Callable, Mapping

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
from punktfunk_capture_x11.connection import SIZE_CHANGED, Connection
from punktfunk_capture_x11.fake_input import FakeInput
from punktfunk_capture_x11.keyboard import Keyboard
from punktfunk_capture_x11.pointer import Pointer
from punktfunk_capture_x11.settings import X11Settings

LAYOUT_S = 5.0

_LAYOUT = re.compile(r"(?P<layout>[A-Za-z0-9_,-]+)(?:\((?P<variant>[A-Za-z0-9_,-]+)\))?")
_POLL_S = 0.005


class X11Input(InputDriver):
    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._layout = X11Settings.read(self.settings).keyboard_layout
        self._connection: Connection | None = None
        self._keyboard: Keyboard | None = None
        self._pointer: Pointer | None = None
        self._size = (0, 0)

    def open(self, seat: Seat, display: Display, send_feedback: Callable[[Feedback], None]) -> None:
        """Set the layout and connect; nothing is sent back."""
        set_layout(seat, self._layout, display.environment)
        try:
            self._connection = Connection(display.environment)
            self._connection.watch_size()
            self._size = self._connection.size()
            device = FakeInput(self._connection)
            self._keyboard, self._pointer = Keyboard(device), Pointer(device)
        except DriverFailed as error:
            self.close()
            raise DriverUnavailable("x11", str(error)) from error
        except BaseException:
            self.close()
            raise

    @property
    def held(self) -> frozenset[tuple[str, int]]:
        """Evdev codes of keys and X's numbers of buttons that are down."""
        if self._keyboard is None or self._pointer is None:
            return frozenset()
        keys = {("key", code) for code in self._keyboard.held}
        return frozenset(keys | {("button", number) for number in self._pointer.held})

    def handle(self, event: InputEvent) -> None:
        if self._connection is None:
            raise DriverFailed("the input devices are not open")
        assert self._keyboard is not None
        assert self._pointer is not None
        if SIZE_CHANGED in self._connection.events():
            self._size = self._connection.size()
        match event:
            case PointerMotion():
                self._pointer.move(event)
            case PointerPosition():
                self._pointer.move_to(event, *self._size)
            case ButtonEvent():
                self._pointer.press(event)
            case ScrollEvent():
                self._pointer.scroll(event)
            case KeyEvent():
                self._keyboard.handle(event)
            case TextEvent():
                self._keyboard.type(event.text)
            case _:
                return
        self._connection.flush()

    def release_all(self) -> None:
        if self._connection is None or self._keyboard is None or self._pointer is None:
            return
        self._keyboard.release_all()
        self._pointer.release_all()
        self._connection.flush()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._keyboard = self._pointer = None


def set_layout(seat: Seat, layout: str, environment: Mapping[str, str]) -> None:
    """Give the display's keyboard the keys of an XKB layout, with evdev's key codes.

    Raises:
        DriverUnavailable: there is no such layout, or nothing to set it with.
    """
    found = _LAYOUT.fullmatch(layout)
    if found is None:
        raise DriverUnavailable("x11", f"{layout!r} is not a keyboard layout")
    argv = ["setxkbmap", "-rules", "evdev", "-model", "pc105"]
    argv += ["-layout", found["layout"], "-variant", found["variant"] or "", "-option", ""]
    try:
        setting = seat.spawn("keyboard-layout", argv, environment=environment)
    except DriverFailed as error:
        hint = "apt install x11-xkb-utils xkb-data"
        raise DriverUnavailable("x11", "setxkbmap is not installed", hint=hint) from error
    deadline = time.monotonic() + LAYOUT_S
    while setting.exit_status() is None and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    status = setting.exit_status()
    setting.stop()
    if status != 0:
        said = seat.log_tail("keyboard-layout")
        raise DriverUnavailable("x11", f"the keyboard layout {layout!r} cannot be set: {said}")
