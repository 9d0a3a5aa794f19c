"""The monitors of a running X server, and whether it is one that can be shown."""

from collections.abc import Sequence

import attrs
import xcffib.randr

from punktfunk.plugin import Area, DriverFailed, DriverUnavailable
from punktfunk_capture_x11.connection import Connection

_DEPTH, _BITS_PER_PIXEL = 24, 32
_NEEDED = ("RANDR", "MIT-SHM", "DAMAGE", "XFIXES", "XInputExtension", "XTEST")
_XWAYLAND = "XWAYLAND"


@attrs.frozen
class Monitor:
    """Attributes:
    area: Its part of the screen.
    """

    name: str
    area: Area

    @property
    def size(self) -> dict[str, int]:
        return {"width_px": self.area.width_px, "height_px": self.area.height_px}


def check_server(connection: Connection) -> None:
    """Say no to a server whose screen is not what the person sees, or not readable.

    Raises:
        DriverUnavailable: with the reason.
    """
    for name in _NEEDED:
        if not connection.has_extension(name):
            raise DriverUnavailable("x11", f"the X server has no extension {name}")
    if any(it.name.startswith(_XWAYLAND) for it in monitors(connection)):
        raise DriverUnavailable(
            "x11",
            "this X server is the Xwayland of a Wayland desktop, and has no picture of it",
            hint="use the plugin of that desktop: kwin, mutter, wlroots or portal",
        )
    setup = connection.x.setup
    depth = setup.roots[0].root_depth
    pixels = {it.depth: it.bits_per_pixel for it in setup.pixmap_formats}
    if depth != _DEPTH or pixels.get(depth) != _BITS_PER_PIXEL:
        raise DriverUnavailable("x11", f"its pictures have a depth of {depth} bits, not {_DEPTH}")


def monitors(connection: Connection) -> Sequence[Monitor]:
    """The primary one first. A server that knows none has its screen as the only one."""
    randr = connection.extension(xcffib.randr, 1, 5)
    found = connection.reply(randr.GetMonitors(connection.root, True)).monitors
    named = [
        Monitor(
            connection.reply(connection.core.GetAtomName(it.name)).name.to_string(),
            Area(it.x, it.y, it.width, it.height),
        )
        for it in sorted(found, key=lambda it: not it.primary)
    ]
    return named or [Monitor("screen", Area(0, 0, *connection.size()))]


def find_monitor(connection: Connection, name: str) -> Monitor:
    """The one of this name, or the primary one for the empty name.

    Raises:
        DriverUnavailable: there is none of that name.
    """
    found = monitors(connection)
    for monitor in found:
        if name in ("", monitor.name):
            return monitor
    names = ", ".join(it.name for it in found)
    raise DriverUnavailable("x11", f"there is no monitor {name!r}", hint=f"set output to {names}")


def area_of(connection: Connection, name: str) -> Area:
    """Where a monitor is on the screen; all of the screen for the empty name.

    Raises:
        DriverFailed: it is gone.
    """
    if not name:
        return Area(0, 0, *connection.size())
    for monitor in monitors(connection):
        if monitor.name == name:
            return monitor.area
    raise DriverFailed(f"the monitor {name} is gone")
