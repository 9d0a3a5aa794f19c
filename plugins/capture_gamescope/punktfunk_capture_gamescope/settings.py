"""What a person may set in `[plugin.gamescope]`."""

from collections.abc import Mapping

import attrs

DRIVER = "gamescope"
PICTURES = "PUNKTFUNK_PICTURES"
"""Variable of a display that says where the PipeWire is that its pictures come through."""
NODE = "PUNKTFUNK_PICTURES_NODE"
"""Variable of a display: the number of the node that its pictures come from."""
POINTER = "PUNKTFUNK_POINTER"
"""Variable of a display: the X server that has the pointer, where the pictures have it not."""

SETTINGS: tuple[tuple[str, str | bool | int | list[str], str], ...] = (
    ("gamescope", "gamescope", "Name or path of the gamescope program."),
    ("steam", False, "Steam mode: Steam draws over games, and the desktop is Big Picture."),
    ("framerate_limit", 0, "Most pictures a second that games draw; 0 is the client's rate."),
    ("xwayland_count", 0, "X servers for games. 0: one, or two in Steam mode."),
    ("wayland", False, "Let programs use Wayland, not only X11."),
    ("arguments", [], "Further arguments for gamescope, such as --hdr-enabled."),
    ("need_gpu", True, "Refuse where no GPU is found; false starts gamescope all the same."),
    ("display", "", "When attached: which gamescope to show, such as gamescope-1."),
)
"""Name, default and meaning, in the order in which people read them."""


@attrs.frozen(kw_only=True)
class GamescopeSettings:
    gamescope: str
    steam: bool
    framerate_limit: int
    xwayland_count: int
    wayland: bool
    arguments: tuple[str, ...]
    need_gpu: bool
    display: str

    @classmethod
    def read(cls, table: Mapping[str, object]) -> "GamescopeSettings":
        """Take a `[plugin.gamescope]` table whose types were checked; absent keys get defaults."""
        values = {name: table.get(name, default) for name, default, _ in SETTINGS}
        words, limit, count = (
            values[name] for name in ("arguments", "framerate_limit", "xwayland_count")
        )
        steam = bool(values["steam"])
        count = count if isinstance(count, int) and count > 0 else 1 + steam
        return cls(
            gamescope=str(values["gamescope"]),
            steam=steam,
            framerate_limit=max(0, limit) if isinstance(limit, int) else 0,
            xwayland_count=count,
            wayland=bool(values["wayland"]),
            arguments=tuple(map(str, words)) if isinstance(words, list | tuple) else (),
            need_gpu=bool(values["need_gpu"]),
            display=str(values["display"]),
        )
