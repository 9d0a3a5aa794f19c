"""What a person may set in `[plugin.wlroots]`."""

from collections.abc import Mapping

import attrs

SETTINGS: tuple[tuple[str, str | bool | list[str], str], ...] = (
    ("sway", "sway", "Name or path of the sway program."),
    ("renderer", "pixman", "wlroots renderer: pixman (software), gles2 or vulkan."),
    ("terminal", [], "Argv of the desktop's first program. Empty: the first terminal found."),
    ("background", "#1d2b3a", "Colour (#rrggbb) or path of a picture behind everything."),
    ("keyboard_layout", "us", 'XKB layout that keys are read with, such as "de" or "fr(bepo)".'),
    (
        "output",
        "",
        "When attached: the output to show. Empty: one of the client's own if possible.",
    ),
    ("xwayland", True, "Let X11 programs run too, where Xwayland is installed."),
)
"""Name, default and meaning, in the order in which people read them."""


@attrs.frozen(kw_only=True)
class WlrootsSettings:
    sway: str
    renderer: str
    terminal: tuple[str, ...]
    background: str
    keyboard_layout: str
    output: str
    xwayland: bool

    @classmethod
    def read(cls, table: Mapping[str, object]) -> "WlrootsSettings":
        """Take a `[plugin.wlroots]` table whose types were checked; absent keys get defaults."""
        values = {name: table.get(name, default) for name, default, _ in SETTINGS}
        words = values["terminal"]
        return cls(
            sway=str(values["sway"]),
            renderer=str(values["renderer"]),
            terminal=tuple(str(word) for word in words) if isinstance(words, list | tuple) else (),
            background=str(values["background"]),
            keyboard_layout=str(values["keyboard_layout"]),
            output=str(values["output"]),
            xwayland=bool(values["xwayland"]),
        )
