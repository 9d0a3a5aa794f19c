"""The pointer through XTEST: motion, buttons, wheel."""

from punktfunk.plugin import (
    Area,
    HeldButtons,
    PointerButton,
    PointerMotion,
    PointerPosition,
    ScrollEvent,
    WholeNotches,
)
from punktfunk_capture_x11.fake_input import FakeInput

# 4 to 7 are the wheels.
_BUTTONS = {
    PointerButton.LEFT: 1,
    PointerButton.MIDDLE: 2,
    PointerButton.RIGHT: 3,
    PointerButton.BACK: 8,
    PointerButton.FORWARD: 9,
}
_UP, _DOWN, _LEFT, _RIGHT = 4, 5, 6, 7


class Pointer:
    def __init__(self, device: FakeInput) -> None:
        self._device = device
        self._notches = {_UP: WholeNotches(), _RIGHT: WholeNotches()}
        self.buttons = HeldButtons(
            lambda number, pressed: device.button(number, pressed=pressed), _BUTTONS
        )

    def move(self, event: PointerMotion) -> None:
        self._device.move(event.dx, event.dy)

    def move_to(self, event: PointerPosition, area: Area) -> None:
        x = min(round(event.x * area.width_px), area.width_px - 1)
        y = min(round(event.y * area.height_px), area.height_px - 1)
        self._device.move_to(area.left_px + x, area.top_px + y)

    def scroll(self, event: ScrollEvent) -> None:
        """Scroll whole notches, which is all that XTEST can; parts of one add up."""
        self._scroll(_UP, _DOWN, event.vertical_120ths)
        self._scroll(_RIGHT, _LEFT, event.horizontal_120ths)

    def _scroll(self, positive: int, negative: int, amount_120ths: int) -> None:
        notches = self._notches[positive].add(amount_120ths)
        for _ in range(abs(notches)):
            for pressed in (True, False):
                self._device.button(positive if notches > 0 else negative, pressed=pressed)
