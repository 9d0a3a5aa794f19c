"""What a person may set in `[plugin.kwin]`."""

from collections.abc import Mapping

import attrs

DRIVER = "kwin"
PICTURES = "PUNKTFUNK_PICTURES"
"""Variable of a display that says where the PipeWire is that its pictures come through."""

SETTINGS: tuple[tuple[str, str | bool | list[str], str], ...] = (
    ("output", "", "When attached: the screen to show. Empty: one of the client's own."),
    ("kwin", "kwin_wayland", "Name or path of the KWin program."),
    ("terminal", [], "Argv of the desktop's first program. Empty: the first terminal found."),
    ("keyboard_layout", "us", 'XKB layout of an own KWin, such as "de" or "fr(bepo)".'),
    ("xwayland", True, "Let X11 programs run in an own KWin, where Xwayland is installed."),
)
"""Name, default and meaning, in the order in which people read them."""


@attrs.frozen(kw_only=True)
class KwinSettings:
    output: str
    kwin: str
    terminal: tuple[str, ...]
    keyboard_layout: str
    xwayland: bool

    @classmethod
    def read(cls, table: Mapping[str, object]) -> "KwinSettings":
        """Take a `[plugin.kwin]` table whose types were checked; absent keys get defaults."""
        values = {name: table.get(name, default) for name, default, _ in SETTINGS}
        words = values["terminal"]
        return cls(
            output=str(values["output"]),
            kwin=str(values["kwin"]),
            terminal=tuple(str(word) for word in words) if isinstance(words, list | tuple) else (),
            keyboard_layout=str(values["keyboard_layout"]),
            xwayland=bool(values["xwayland"]),
        )
