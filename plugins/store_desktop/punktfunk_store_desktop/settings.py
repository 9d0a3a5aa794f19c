"""What a person may set in `[plugin.desktop]`."""

from collections.abc import Mapping

import attrs

SETTINGS: tuple[tuple[str, bool | list[str], str], ...] = (
    ("categories", ["Game"], "List the entries of these menu categories."),
    ("all", False, "List every entry of the menu, whatever its category."),
    ("include", [], "Entries to list besides, by the name of their file."),
    ("exclude", [], "Entries never to list, by the name of their file."),
    ("terminal", [], "Argv that programs for a terminal are put behind. Empty: the first found."),
)
"""Name, default and meaning, in the order in which people read them."""


@attrs.frozen(kw_only=True)
class DesktopSettings:
    """Attributes are as in `SETTINGS`; names of files are without `.desktop`."""

    categories: frozenset[str]
    all: bool
    include: frozenset[str]
    exclude: frozenset[str]
    terminal: tuple[str, ...]

    @classmethod
    def read(cls, table: Mapping[str, object]) -> "DesktopSettings":
        """Take a `[plugin.desktop]` table whose types were checked; absent keys get defaults."""
        values = {name: table.get(name, default) for name, default, _ in SETTINGS}
        return cls(
            categories=frozenset(_words(values["categories"])),
            all=bool(values["all"]),
            include=_names(values["include"]),
            exclude=_names(values["exclude"]),
            terminal=_words(values["terminal"]),
        )


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(word) for word in value) if isinstance(value, list | tuple) else ()


def _names(value: object) -> frozenset[str]:
    return frozenset(word.removesuffix(".desktop") for word in _words(value))
