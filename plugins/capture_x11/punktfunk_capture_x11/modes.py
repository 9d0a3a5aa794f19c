"""The size and rate of an X screen, changed by RANDR."""

from typing import Any

import attrs
import xcffib
import xcffib.randr

from punktfunk.plugin import DriverFailed, VideoMode
from punktfunk_capture_x11.connection import Connection

_DPI = 96
_MM_PER_INCH = 25.4
_ROTATE_NONE = 1
_SUCCESS = 0
_MAX_CLOCK_HZ = 0xFFFF_FFFF


@attrs.define
class Modes:
    """Modes of the only output of an Xvfb. It has none of its own but the size it began with."""

    connection: Connection
    _current: int | None = None

    def set(self, mode: VideoMode) -> None:
        """Give the screen exactly this mode.

        Raises:
            DriverFailed: it does not fit the memory that the server began with.
        """
        connection = self.connection
        randr = connection.extension(xcffib.randr, 1, 3)
        try:
            self._switch(randr, mode)
        except xcffib.Error as error:
            raise DriverFailed(f"the X server refuses the mode {_name(mode)}") from error
        if connection.size() != (mode.width_px, mode.height_px):
            raise DriverFailed(f"the X server did not switch to {_name(mode)}")

    def _switch(self, randr: Any, mode: VideoMode) -> None:
        connection, root = self.connection, self.connection.root
        limits = connection.reply(randr.GetScreenSizeRange(root))
        if mode.width_px > limits.max_width or mode.height_px > limits.max_height:
            raise DriverFailed(
                f"the display cannot become {mode.width_px}x{mode.height_px}: it began with "
                f"{limits.max_width}x{limits.max_height}; quit the app and start it again, or set "
                "max_width and max_height in [plugin.x11]"
            )
        resources = connection.reply(randr.GetScreenResources(root))
        output, crtc = resources.outputs[0], resources.crtcs[0]
        # The name tells modes apart; the same name twice is an error.
        name = f"{_name(mode)}-{connection.x.generate_id():x}"
        made = connection.reply(randr.CreateMode(root, _timing(mode, name), len(name), name)).mode
        randr.AddOutputMode(output, made)
        # The screen may not be smaller than what is shown of it: nothing, in between.
        connection.reply(randr.SetCrtcConfig(crtc, 0, 0, 0, 0, 0, _ROTATE_NONE, 0, []))
        size = (mode.width_px, mode.height_px)
        randr.SetScreenSize(root, *size, *(round(side * _MM_PER_INCH / _DPI) for side in size))
        answer = connection.reply(
            randr.SetCrtcConfig(crtc, 0, 0, 0, 0, made, _ROTATE_NONE, 1, [output])
        )
        if answer.status != _SUCCESS:
            raise DriverFailed(f"the X server does not take the mode {_name(mode)}")
        if self._current is not None:
            randr.DeleteOutputMode(output, self._current)
            randr.DestroyMode(self._current)
        self._current = made


def _name(mode: VideoMode) -> str:
    return f"{mode.width_px}x{mode.height_px}@{mode.refresh_mhz / 1_000:.3f}"


def _timing(mode: VideoMode, name: str) -> Any:
    """Timing without blanking, so that its clock gives the rate."""
    width, height = mode.width_px, mode.height_px
    clock_hz = min(round(width * height * mode.refresh_mhz / 1_000), _MAX_CLOCK_HZ)
    horizontal, vertical = (0, 0, width, 0), (0, 0, height)
    return xcffib.randr.ModeInfo.synthetic(
        0, width, height, clock_hz, *horizontal, *vertical, len(name), 0
    )
