"""What a client holds down, and the emulated events that make it so. Knows nothing of gamescope."""

from typing import Any

from punktfunk.plugin import (
    EVDEV_BUTTONS,
    MAX_FINGERS,
    MAX_KEY_CODE,
    ButtonEvent,
    ContactKind,
    KeyEvent,
    PointerArea,
    PointerMotion,
    PointerPosition,
    ScrollEvent,
    TouchEvent,
    modifiers_around,
)
from punktfunk_capture_gamescope.eis import EisConnection

_LARGEST_REGION = 1 << 20
"""A region larger than this is no screen, but a server's word for 'anywhere'."""


class Hands:
    """Turns a client's events into emulated ones, each in a frame of its own.

    What the server has no device for at the moment is lost, and is not held either.

    Args:
        size_px: Of the picture, for servers whose regions do not say it.
        output: What the region that the picture shows is called; else the first is taken.
    """

    def __init__(
        self, connection: EisConnection, size_px: tuple[int, int], output: str = ""
    ) -> None:
        self._connection, self._size_px, self._output = connection, size_px, output
        self._down: dict[int, Any] = {}
        self._fingers: dict[int, tuple[Any, Any]] = {}

    @property
    def held(self) -> frozenset[int]:
        """Evdev codes of the keys and buttons that are down."""
        return frozenset(self._down)

    def update(self) -> None:
        """Hear what the server says. Raises `DriverFailed` when it is gone."""
        lost = self._connection.update()
        if lost:
            self._down = {code: it for code, it in self._down.items() if it not in lost}
            self._fingers = {
                number: (it, touch)
                for number, (it, touch) in self._fingers.items()
                if it not in lost
            }

    def move(self, event: PointerMotion) -> None:
        device = self._connection.device("POINTER")
        if device is not None:
            device.pointer_motion(float(event.dx), float(event.dy)).frame()

    def move_to(self, event: PointerPosition) -> None:
        device = self._connection.device("POINTER_ABSOLUTE")
        if device is not None:
            device.pointer_motion_absolute(*self._place(device).point(event.x, event.y)).frame()

    def press(self, event: ButtonEvent) -> None:
        self._set("BUTTON", EVDEV_BUTTONS[event.button], pressed=event.pressed)

    def scroll(self, event: ScrollEvent) -> None:
        device = self._connection.device("SCROLL")
        if device is not None and (event.vertical_120ths or event.horizontal_120ths):
            # The axes point down and right, a client's up and right.
            device.scroll_discrete(event.horizontal_120ths, -event.vertical_120ths).frame()

    def key(self, event: KeyEvent) -> None:
        """Press or release; repeats and keys without a code are ignored.

        A modifier that the event flags and nobody holds is pressed around the key
        (docs/protocol/gamestream.md, section 6.5).
        """
        code = event.evdev
        if code is None or not 0 < code <= MAX_KEY_CODE or event.pressed == (code in self._down):
            return
        around = modifiers_around(event, self._down)
        for modifier in around:
            self._set("KEYBOARD", modifier, pressed=True)
        self._set("KEYBOARD", code, pressed=event.pressed)
        for modifier in reversed(around):
            self._set("KEYBOARD", modifier, pressed=False)

    def touch(self, event: TouchEvent) -> None:
        device, finger = self._fingers.get(event.pointer_id, (None, None))
        match event.kind:
            case ContactKind.DOWN | ContactKind.MOVE if finger is None:
                device = self._connection.device("TOUCH")
                if device is None or len(self._fingers) >= MAX_FINGERS:
                    return
                finger = device.touch_new()
                self._fingers[event.pointer_id] = device, finger
                finger.down(*self._place(device).point(event.x, event.y))
            case ContactKind.DOWN | ContactKind.MOVE:
                finger.motion(*self._place(device).point(event.x, event.y))
            case ContactKind.UP | ContactKind.CANCEL if finger is not None:
                self._lift(event.pointer_id)
                return
            case ContactKind.CANCEL_ALL:
                self._lift_all()
                return
            case _:
                return
        device.frame()

    def release_all(self) -> None:
        for code, device in list(self._down.items()):
            self._emit(device, code, pressed=False)
        self._down.clear()
        self._lift_all()

    def _set(self, capability: str, code: int, *, pressed: bool) -> None:
        if pressed:
            device = self._connection.device(capability)
            if device is not None and code not in self._down:
                self._down[code] = device
                self._emit(device, code, pressed=True)
        elif code in self._down:
            self._emit(self._down.pop(code), code, pressed=False)

    def _emit(self, device: Any, code: int, *, pressed: bool) -> None:
        if code > MAX_KEY_CODE:
            device.button(code, pressed).frame()
        else:
            device.keyboard_key(code, pressed).frame()

    def _lift(self, pointer_id: int) -> None:
        device, finger = self._fingers.pop(pointer_id)
        finger.up()
        device.frame()

    def _lift_all(self) -> None:
        for pointer_id in list(self._fingers):
            self._lift(pointer_id)

    def _place(self, device: Any) -> PointerArea:
        regions = device.regions
        named = [it for it in regions if self._output and it.mapping_id == self._output]
        for region in named or regions:
            if max(region.dimension) < _LARGEST_REGION and min(region.dimension) > 0:
                return PointerArea(*map(float, region.position), *map(float, region.dimension))
        return PointerArea(0.0, 0.0, *map(float, self._size_px))
