"""Input into an X display."""

import contextlib
import re
import time
from collections.abc import Callable, Mapping

from punktfunk.plugin import (
    Area,
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
from punktfunk_capture_x11.connection import Connection
from punktfunk_capture_x11.fake_input import FakeInput
from punktfunk_capture_x11.keyboard import Keyboard, spare_keys
from punktfunk_capture_x11.leftovers import input_effect, leave_no_text
from punktfunk_capture_x11.monitors import area_of
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
        self._monitor = ""
        self._moved_events: frozenset[int] = frozenset()
        self._area = Area(0, 0, 0, 0)
        self._give_back: Callable[[], None] | None = None

    def open(self, seat: Seat, display: Display, send_feedback: Callable[[Feedback], None]) -> None:
        """Connect, and set the layout of a display of our own; nothing is sent back."""
        attached = bool(display.output)
        if not attached:
            set_layout(seat, self._layout, display.environment)
        try:
            self._connection = connection = Connection(display.environment)
            self._monitor = display.output
            self._moved_events = connection.watch_size()
            self._area = area_of(connection, self._monitor)
            spare = spare_keys(connection)
            if attached:
                effect = input_effect(display.environment, spare)
                seat.record(effect)
                self._give_back = lambda: seat.forget(effect)
            device = FakeInput(connection)
            self._keyboard, self._pointer = Keyboard(device, spare), Pointer(device)
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
        return frozenset(keys | {("button", number) for number in self._pointer.buttons.held})

    def handle(self, event: InputEvent) -> None:
        if self._connection is None:
            raise DriverFailed("the input devices are not open")
        assert self._keyboard is not None
        assert self._pointer is not None
        if self._moved_events & self._connection.events():
            self._area = area_of(self._connection, self._monitor)
        match event:
            case PointerMotion():
                self._pointer.move(event)
            case PointerPosition():
                self._pointer.move_to(event, self._area)
            case ButtonEvent():
                self._pointer.buttons.handle(event)
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
        self._pointer.buttons.release_all()
        self._connection.flush()

    def close(self) -> None:
        if self._connection is not None:
            if self._give_back is not None:
                self._leave_as_it_was(self._connection, self._give_back)
            self._connection.close()
        self._connection = self._keyboard = self._pointer = self._give_back = None

    def _leave_as_it_was(self, connection: Connection, give_back: Callable[[], None]) -> None:
        """Hand the user's own keyboard back; what cannot be done now is done from the journal."""
        with contextlib.suppress(DriverFailed):
            self.release_all()
            leave_no_text(connection, self._keyboard.spare if self._keyboard else ())
            connection.sync()
            give_back()


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
