"""What one device's or one game's sessions get of their own, as a form: see `overrides.html`."""

import json
from collections.abc import Mapping, Sequence
from itertools import combinations

import attrs

from punktfunk.config import LoadedConfig
from punktfunk.config.catalogue import KNOWN_IN_ENTRIES
from punktfunk.config.chain import explain
from punktfunk.config.loading import Origin, Source
from punktfunk.config.overrides import ARRAY, own_values
from punktfunk.console.language import _
from punktfunk.console.setting_words import LABELS, unit_of, value_in_words
from punktfunk.console.shell import N_
from punktfunk.console.words import number

_GROUPS: Sequence[tuple[str, Mapping[str, str]]] = (
    (
        N_("Picture"),
        {
            "max_width": "stream.max_width",
            "max_height": "stream.max_height",
            "max_fps": "stream.max_fps",
            "max_bitrate_kbps": "stream.max_bitrate_kbps",
            "codecs": "stream.codecs",
        },
    ),
    (
        N_("On the way"),
        {"encryption": "stream.encryption", "fec_percent": "stream.fec_percent"},
    ),
    (
        N_("Desktop and company"),
        {
            "desktop_mode": "desktop.mode",
            "second_client": "stream.second_client",
            "guests": "stream.guests",
        },
    ),
)
_DRIVERS: tuple[str, Mapping[str, str]] = (
    N_("Drivers"),
    {
        name: f"drivers.{name}"
        for name in ("compositor", "capture", "encode", "audio", "input", "gamepad")
    },
)
"""By name in an `[[override]]`: the setting for everybody."""


@attrs.frozen(kw_only=True)
class OwnSetting:
    """One line of the form.

    Attributes:
        kind: `number`, `choice` or `words`.
        own: What stands in the field; empty where it is as for everybody.
        general: What everybody gets, in words, and `place` where that is from.
        choices: What may be chosen, and how it is called.
    """

    name: str
    label: str
    unit: str
    kind: str
    own: str
    general: str
    place: str
    least: int | None = None
    most: int | None = None
    choices: Sequence[tuple[str, str]] = ()
    json: bool = False


@attrs.frozen
class OwnGroup:
    """Attributes:
    folded: Few people need it.
    """

    title: str
    settings: Sequence[OwnSetting]
    folded: bool = False


@attrs.frozen
class OwnForm:
    """Attributes:
    seen: The values as they are now, by name, as JSON: what the form was made from.
    """

    groups: Sequence[OwnGroup]
    seen: str


def own_settings(loaded: LoadedConfig, *, app: str = "", client: str = "") -> OwnForm:
    """Make the form for an app, a client or the two together.

    Args:
        app: A library id, or empty.
        client: A whole fingerprint, or empty.
    """
    own = own_values(loaded.settings, app, client)
    general = {it.key: it for it in explain(loaded, "", "")}

    def lines(names: Mapping[str, str]) -> Sequence[OwnSetting]:
        return [
            _line(name, key, own.get(name), general[key].value, general[key].origin)
            for name, key in names.items()
        ]

    groups = [OwnGroup(_(title), lines(names)) for title, names in _GROUPS]
    title, names = _DRIVERS
    groups.append(OwnGroup(_(title), lines(names), folded=True))
    return OwnForm(groups, json.dumps(own))


def own_in_words(loaded: LoadedConfig, app: str, client: str) -> Sequence[tuple[str, str]]:
    """Say what is set for just these sessions: labels and values."""
    own = own_values(loaded.settings, app, client)
    every = {name: key for _title, names in (*_GROUPS, _DRIVERS) for name, key in names.items()}
    return [(_(LABELS[key]), _said(key, own[name])) for name, key in every.items() if name in own]


def place_in_words(origin: Origin) -> str:
    """Where a value comes from."""
    if origin.source is Source.DEFAULT:
        return _("built in")
    return origin.place


def _line(name: str, key: str, own: object, general: object, origin: Origin) -> OwnSetting:
    rule = KNOWN_IN_ENTRIES[f"{ARRAY}.{name}"].rule
    many = rule.type is tuple
    kind = "number" if rule.type is int else "choice" if rule.choices else "words"
    return OwnSetting(
        name=name,
        label=_(LABELS[key]),
        unit=unit_of(key),
        kind=kind,
        own=_field(own, kind),
        general=_said(key, general),
        place=place_in_words(origin),
        least=rule.least,
        most=rule.most,
        choices=_choices(key, rule.choices, own, many) if kind == "choice" else (),
        json=many and kind == "choice",
    )


def _field(value: object, kind: str) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return json.dumps(value) if kind == "choice" else ", ".join(value)
    return str(value)


def _choices(key: str, names: Sequence[str], own: object, many: bool) -> Sequence[tuple[str, str]]:
    if not many:
        return [(name, _said(key, name)) for name in names]
    some = [it for count in (1, 2, 3) for it in combinations(names, count)]
    if isinstance(own, tuple) and own not in some:  # written by hand, in an order of its own
        some.append(own)
    return [(json.dumps(it), _said(key, it)) for it in some]


def _said(key: str, value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(value_in_words(key, it) for it in value) or _("by rank")
    if isinstance(value, int):
        return f"{number(value)} {unit_of(key)}"
    return value_in_words(key, str(value))
