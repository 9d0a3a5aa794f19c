"""The list of all settings, for everything that goes through them one by one."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from punktfunk.config.rules import Rule
from punktfunk.config.settings import Settings

PLUGIN_TABLES = "plugin"


@attrs.frozen(kw_only=True)
class Known:
    """One setting.

    Attributes:
        key: `section.name`, as in the file.
        required: An entry without it is refused; there is no default.
        show: What others than the host may see of its value.
    """

    key: str
    doc: str
    rule: Rule
    default: object
    required: bool = False
    show: Callable[[Any], object] | None = None

    def shown(self, value: object) -> object:
        """The value as it may be printed or told to a program."""
        return self.show(value) if self.show is not None else value


def _all_settings() -> Iterable[Known]:
    defaults = Settings()
    for section in attrs.fields(Settings):
        if section.name != PLUGIN_TABLES and "entry" not in section.metadata:
            yield from _settings_of(section.name, type(getattr(defaults, section.name)))


def _settings_of(section: str, table: type) -> Iterable[Known]:
    for field in attrs.fields(table):
        required = field.default is attrs.NOTHING
        yield Known(
            key=f"{section}.{field.name}",
            doc=field.metadata["doc"],
            rule=field.metadata["rule"],
            default=None if required else field.default,
            required=required,
            show=field.metadata.get("show"),
        )


KNOWN: Mapping[str, Known] = MappingProxyType({known.key: known for known in _all_settings()})
ENTRIES: Mapping[str, type] = MappingProxyType(
    {
        section.name: section.metadata["entry"]
        for section in attrs.fields(Settings)
        if "entry" in section.metadata
    }
)
"""Arrays of tables, `[[name]]` in the file, and what one entry becomes."""
KNOWN_IN_ENTRIES: Mapping[str, Known] = MappingProxyType(
    {known.key: known for name, table in ENTRIES.items() for known in _settings_of(name, table)}
)
SECTIONS = tuple(dict.fromkeys(key.partition(".")[0] for key in KNOWN))


def did_you_mean(key: str) -> str:
    """Finish the sentence about an unknown key with the likeliest one."""
    last = key.rpartition(".")[2]
    same_name = [known for known in KNOWN if known.rpartition(".")[2] == last]
    names = [*KNOWN, *SECTIONS, *KNOWN_IN_ENTRIES, *ENTRIES]
    guess = same_name or difflib.get_close_matches(key, names, n=1)
    return f" (did you mean {guess[0]}?)" if guess else ""
