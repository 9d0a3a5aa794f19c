"""Settings as the page shows them: made of the same catalogue that checks the file."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import attrs

from punktfunk.config import LoadedConfig
from punktfunk.config.catalogue import ENTRIES, KNOWN, Known
from punktfunk.config.editing import is_live
from punktfunk.config.loading import Origin, Source
from punktfunk.config.report import config_as_json
from punktfunk.console.language import _
from punktfunk.console.overrides import place_in_words
from punktfunk.console.setting_words import LABELS, unit_of, value_in_words
from punktfunk.console.shell import N_
from punktfunk.console.words import number

SECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "host": N_("This host"),
        "stream": N_("Streams"),
        "desktop": N_("Desktop"),
        "test_pattern": N_("Test pattern"),
        "mgmt": N_("Console and API"),
        "drivers": N_("Drivers, in order of preference"),
        "plugins": N_("Which plugins may run"),
    }
)


@attrs.frozen(kw_only=True)
class ShownSetting:
    """Attributes:
    doc: What it does; empty where the label says it all.
    kind: `switch`, `number`, `choice`, `some` of the choices, `list` or `text`.
    value: As it stands in the field; a list has one entry a line.
    default: In words.
    place: Where it comes from, in words.
    set: It has been changed from the built-in value.
    held: Why it cannot be changed here, in words; else empty.
    live: It counts at once.
    waiting: It was changed and counts after the next start.
    """

    key: str
    label: str
    doc: str
    kind: str
    unit: str
    value: str
    default: str
    place: str
    set: bool
    held: str
    live: bool
    waiting: bool
    least: int | None
    most: int | None
    choices: Sequence[tuple[str, str]]


@attrs.frozen(kw_only=True)
class Section:
    name: str
    title: str
    settings: Sequence[ShownSetting]


@attrs.frozen(kw_only=True)
class FromFile:
    """What is only read here: an array of tables or a plugin's table.

    Attributes:
        name: As in the file, such as `[[hook]]`.
        lines: Of the table, as they could stand there; secrets are left out.
    """

    name: str
    lines: Sequence[str]


def sections(loaded: LoadedConfig, waiting: frozenset[str]) -> Sequence[Section]:
    """Every setting that has a value of its own, by section."""
    return [
        Section(
            name=name,
            title=_(title),
            settings=[
                _shown(known, loaded, waiting)
                for key, known in KNOWN.items()
                if key.partition(".")[0] == name
            ],
        )
        for name, title in SECTIONS.items()
    ]


def only_in_the_file(loaded: LoadedConfig) -> Sequence[FromFile]:
    """Entries of arrays and plugins' tables, those of plugins that are not installed too."""
    told = config_as_json(loaded)
    entries: dict[str, list[str]] = {}
    for it in told["settings"]:
        head, is_entry, name = it["key"].partition("].")
        if is_entry:
            entries.setdefault(head, []).append(_line(name, it["value"]))
    arrays = [
        FromFile(name=f"[[{head.partition('[')[0]}]]", lines=it) for head, it in entries.items()
    ]
    plugins = [
        FromFile(name=f"[plugin.{name}]", lines=[_line(key, value) for key, value in table.items()])
        for name, table in told["plugin"].items()
    ]
    order = [f"[[{name}]]" for name in ENTRIES]
    return [*sorted(arrays, key=lambda it: order.index(it.name)), *plugins]


def _shown(known: Known, loaded: LoadedConfig, waiting: frozenset[str]) -> ShownSetting:
    section, _dot, name = known.key.partition(".")
    origin = loaded.origins[known.key]
    value = getattr(getattr(loaded.settings, section), name)
    label, doc = _(LABELS[known.key]), _(known.doc)
    return ShownSetting(
        key=known.key,
        label=label,
        doc="" if doc == f"{label}." else doc,
        kind=_kind(known),
        unit=unit_of(known.key),
        value=_text(known.shown(value)),
        default=_in_words(known.key, known.default),
        place=place_in_words(origin),
        set=origin.source is not Source.DEFAULT,
        held=_held(origin, value),
        live=is_live(known.key),
        waiting=known.key in waiting,
        least=known.rule.least,
        most=known.rule.most,
        choices=[(it, value_in_words(known.key, it)) for it in known.rule.choices],
    )


def _held(origin: Origin, value: object) -> str:
    if origin.source in (Source.ENVIRONMENT, Source.FLAG):
        return _("This holds it; it cannot be changed here.")
    if isinstance(value, tuple) and any(it != it.strip() or "\n" in it or not it for it in value):
        return _("Its entries have lines or spaces of their own; the file is the place for that.")
    return ""


def _kind(known: Known) -> str:
    rule = known.rule
    if rule.type is tuple:
        return "some" if rule.choices else "list"
    if rule.choices:
        return "choice"
    return {bool: "switch", int: "number"}.get(rule.type, "text")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "\n".join(value)
    return "" if value is None else str(value)


def _in_words(key: str, value: object) -> str:
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if isinstance(value, int):
        return number(value) if unit_of(key) else str(value)  # ports have no separators
    values = value if isinstance(value, tuple) else (value,)
    return ", ".join(value_in_words(key, str(it)) for it in values) or _("empty")


def _line(name: str, value: object) -> str:
    return f"{name} = {json.dumps(value, ensure_ascii=False)}"
