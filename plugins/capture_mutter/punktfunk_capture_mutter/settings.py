"""What a person may set in `[plugin.mutter]`, and how the drivers find each other."""

from collections.abc import Mapping

import attrs

DRIVER = "mutter"

PICTURES = "PUNKTFUNK_PICTURES"
"""Variable of a display: folder of the PipeWire that its pictures come through."""
SCREEN = "PUNKTFUNK_MUTTER_SCREEN"
"""Variable of a display: which of this process's screens it is, see `screen.py`."""

SETTINGS: tuple[tuple[str, str | bool | list[str], str], ...] = (
    ("output", "", "When attached: the screen to show. Empty: one of the client's own."),
    ("program", "", "gnome-shell, mutter, or the path of one. Empty: the first installed."),
    ("terminal", [], "Argv of the desktop's first program. Empty: the first terminal found."),
    ("keyboard_layout", "us", 'XKB layout of an own desktop, such as "de" or "fr(bepo)".'),
    ("xwayland", True, "Let X11 programs run on an own desktop, where Xwayland is installed."),
)
"""Name, default and meaning, in the order in which people read them."""


@attrs.frozen(kw_only=True)
class MutterSettings:
    output: str
    program: str
    terminal: tuple[str, ...]
    keyboard_layout: str
    xwayland: bool

    @classmethod
    def read(cls, table: Mapping[str, object]) -> "MutterSettings":
        """Take a `[plugin.mutter]` table whose types were checked; absent keys get defaults."""
        values = {name: table.get(name, default) for name, default, _ in SETTINGS}
        words = values["terminal"]
        return cls(
            output=str(values["output"]),
            program=str(values["program"]),
            terminal=tuple(str(word) for word in words) if isinstance(words, list | tuple) else (),
            keyboard_layout=str(values["keyboard_layout"]),
            xwayland=bool(values["xwayland"]),
        )
