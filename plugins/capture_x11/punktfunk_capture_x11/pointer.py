"""The pointer through XTEST: motion, buttons, wheel."""

from punktfunk.plugin import Area, ButtonEvent, PointerMotion, PointerPosition, ScrollEvent
from punktfunk_capture_x11.fake_input import FakeInput

# By the number a client gives a button. X's 4 to 7 are the wheels.
_BUTTONS = {1: 1, 2: 2, 3: 3, 4: 8, 5: 9}
_UP, _DOWN, _LEFT, _RIGHT = 4, 5, 6, 7
_NOTCH_120THS = 120


class Pointer:
    def __init__(self, device: FakeInput) -> None:
        self._device = device
        self._down: set[int] = set()
        self._rest_120ths = {_UP: 0, _RIGHT: 0}

    @property
    def held(self) -> frozenset[int]:
        """X's numbers of the buttons that are down."""
        return frozenset(self._down)

    def move(self, event: PointerMotion) -> None:
        self._device.move(event.dx, event.dy)

    def move_to(self, event: PointerPosition, area: Area) -> None:
        x = min(round(event.x * area.width_px), area.width_px - 1)
        y = min(round(event.y * area.height_px), area.height_px - 1)
        self._device.move_to(area.left_px + x, area.top_px + y)

    def press(self, event: ButtonEvent) -> None:
        button = _BUTTONS[event.button.value]
        if event.pressed != (button in self._down):
            self._button(button, pressed=event.pressed)

    def scroll(self, event: ScrollEvent) -> None:
        """Scroll whole notches, which is all that XTEST can; parts of one add up."""
        self._scroll(_UP, _DOWN, event.vertical_120ths)
        self._scroll(_RIGHT, _LEFT, event.horizontal_120ths)

    def release_all(self) -> None:
        for button in sorted(self._down):
            self._button(button, pressed=False)

    def _button(self, button: int, *, pressed: bool) -> None:
        (self._down.add if pressed else self._down.discard)(button)
        self._device.button(button, pressed=pressed)

    def _scroll(self, positive: int, negative: int, amount_120ths: int) -> None:
        rest = self._rest_120ths[positive]
        if rest * amount_120ths < 0:
            rest = 0  # turned back: the begun notch does not count
        rest += amount_120ths
        notches = int(rest / _NOTCH_120THS)
        self._rest_120ths[positive] = rest - notches * _NOTCH_120THS
        for _ in range(abs(notches)):
            for pressed in (True, False):
                self._device.button(positive if notches > 0 else negative, pressed=pressed)
