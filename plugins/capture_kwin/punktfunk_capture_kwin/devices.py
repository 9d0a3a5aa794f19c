"""Keyboard, pointer and fingers: the requests to KWin that they are made of."""

from collections.abc import Callable
from typing import Any

from punktfunk.plugin import (
    NOTCH_120THS,
    HeldButtons,
    HeldFingers,
    HeldKeys,
    PointerArea,
    PointerMotion,
    PointerPosition,
    ScrollEvent,
)

_VERTICAL, _HORIZONTAL = 0, 1
_NOTCH_LENGTH = 15.0


class Devices:
    """Args:
    device: KWin's object for made-up input.
    area: Of the streamed output, on KWin's desktop.
    """

    def __init__(self, device: Any, area: PointerArea) -> None:
        self._device, self._area = device, area
        self.keys = HeldKeys(lambda code, pressed: device.keyboard_key(code, int(pressed)))
        self.buttons = HeldButtons(lambda code, pressed: device.button(code, int(pressed)))
        self.fingers = HeldFingers(
            self._touch(device.touch_down), self._touch(device.touch_motion), self._lift
        )

    @property
    def held(self) -> frozenset[int]:
        """Evdev codes of the keys and buttons that are down."""
        return self.keys.held | self.buttons.held

    def release_all(self) -> None:
        self.keys.release_all()
        self.buttons.release_all()
        self.fingers.lift_all()

    def move(self, event: PointerMotion) -> None:
        self._device.pointer_motion(float(event.dx), float(event.dy))

    def move_to(self, event: PointerPosition) -> None:
        self._device.pointer_motion_absolute(*self._area.point(event.x, event.y))

    def scroll(self, event: ScrollEvent) -> None:
        # KWin's axes point down and right, a client's up and right.
        for axis, amount_120ths in (
            (_VERTICAL, -event.vertical_120ths),
            (_HORIZONTAL, event.horizontal_120ths),
        ):
            if amount_120ths:
                self._device.axis(axis, amount_120ths / NOTCH_120THS * _NOTCH_LENGTH)

    def _touch(self, request: Callable[..., None]) -> Callable[[int, float, float], None]:
        def send(finger: int, x: float, y: float) -> None:
            request(finger, *self._area.point(x, y))
            self._device.touch_frame()

        return send

    def _lift(self, finger: int) -> None:
        self._device.touch_up(finger)
        self._device.touch_frame()
