"""A display that exists in name only, for captures that paint their own pictures."""

from punktfunk.drivers.compositor import CompositorDriver, Display
from punktfunk.drivers.seat import Seat
from punktfunk.model.video import VideoMode


class NullCompositor(CompositorDriver):
    """Says yes to every mode and starts nothing."""

    def open(self, seat: Seat, mode: VideoMode) -> Display:
        return Display(compositor="null", mode=mode)

    def resize(self, mode: VideoMode) -> Display:
        return Display(compositor="null", mode=mode)

    def close(self) -> None:
        pass
