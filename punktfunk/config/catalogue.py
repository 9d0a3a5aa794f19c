"""The list of all settings, for everything that goes through them one by one."""

import difflib
from collections.abc import Iterable, Mapping
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
    """

    key: str
    doc: str
    rule: Rule
    default: object


def _all_settings() -> Iterable[Known]:
    defaults = Settings()
    for section in attrs.fields(Settings):
        if section.name == PLUGIN_TABLES:
            continue
        table: Any = getattr(defaults, section.name)
        for field in attrs.fields(type(table)):
            yield Known(
                key=f"{section.name}.{field.name}",
                doc=field.metadata["doc"],
                rule=field.metadata["rule"],
                default=getattr(table, field.name),
            )


KNOWN: Mapping[str, Known] = MappingProxyType({known.key: known for known in _all_settings()})
SECTIONS = tuple(dict.fromkeys(key.partition(".")[0] for key in KNOWN))


def did_you_mean(key: str) -> str:
    """Finish the sentence about an unknown key with the likeliest one."""
    last = key.rpartition(".")[2]
    same_name = [known for known in KNOWN if known.rpartition(".")[2] == last]
    guess = same_name or difflib.get_close_matches(key, [*KNOWN, *SECTIONS], n=1)
    return f" (did you mean {guess[0]}?)" if guess else ""
