"""What a person may set in `[plugin.x11]`."""

from collections.abc import Mapping

import attrs

SETTINGS: tuple[tuple[str, str | int | list[str], str], ...] = (
    ("output", "", "When attached: the monitor to show. Empty: the primary one."),
    ("xvfb", "Xvfb", "Name or path of the Xvfb program."),
    ("max_width", 3_840, "Widest the display can become while programs run on it, in pixels."),
    ("max_height", 2_160, "Highest it can become. Width times height times 4 bytes are taken."),
    (
        "window_manager",
        [],
        "Argv of the window manager. Empty: openbox, where it is installed, with no key bindings.",
    ),
    ("terminal", [], "Argv of the desktop's first program. Empty: the first terminal found."),
    ("background", "#1d2b3a", "Colour (#rrggbb) behind everything."),
    ("keyboard_layout", "us", 'XKB layout that keys are read with, such as "de" or "fr(bepo)".'),
)
"""Name, default and meaning, in the order in which people read them."""


@attrs.frozen(kw_only=True)
class X11Settings:
    output: str
    xvfb: str
    max_width: int
    max_height: int
    window_manager: tuple[str, ...]
    terminal: tuple[str, ...]
    background: str
    keyboard_layout: str

    @classmethod
    def read(cls, table: Mapping[str, object]) -> "X11Settings":
        """Take a `[plugin.x11]` table whose types were checked; absent keys get defaults."""
        values = {name: table.get(name, default) for name, default, _ in SETTINGS}
        return cls(
            output=str(values["output"]),
            xvfb=str(values["xvfb"]),
            max_width=_number(values["max_width"]),
            max_height=_number(values["max_height"]),
            window_manager=_words(values["window_manager"]),
            terminal=_words(values["terminal"]),
            background=str(values["background"]),
            keyboard_layout=str(values["keyboard_layout"]),
        )


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(word) for word in value) if isinstance(value, list | tuple) else ()


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
