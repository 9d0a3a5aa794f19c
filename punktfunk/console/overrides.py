"""What one device's or one game's sessions get of their own, as a form: see `overrides.html`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from types import MappingProxyType

import attrs

from punktfunk.config import LoadedConfig
from punktfunk.config.catalogue import KNOWN_IN_ENTRIES
from punktfunk.config.chain import explain
from punktfunk.config.loading import Origin, Source
from punktfunk.config.overrides import ARRAY, own_values
from punktfunk.console.language import _
from punktfunk.console.shell import N_
from punktfunk.console.words import number

_CODECS = MappingProxyType({"h264": "H.264", "hevc": "H.265", "av1": "AV1"})


@attrs.frozen
class _Row:
    """Attributes:
    key: What it is for everybody.
    words: Of its choices.
    """

    name: str
    key: str
    label: str
    unit: str = ""
    words: Mapping[str, str] = attrs.field(factory=dict)


_GROUPS: Sequence[tuple[str, Sequence[_Row]]] = (
    (
        N_("Picture"),
        (
            _Row("max_width", "stream.max_width", N_("Widest picture"), "px"),
            _Row("max_height", "stream.max_height", N_("Highest picture"), "px"),
            _Row("max_fps", "stream.max_fps", N_("Most pictures a second"), "fps"),
            _Row("max_bitrate_kbps", "stream.max_bitrate_kbps", N_("Highest bit rate"), "kbit/s"),
            _Row("codecs", "stream.codecs", N_("Codecs"), words=_CODECS),
        ),
    ),
    (
        N_("On the way"),
        (
            _Row(
                "encryption",
                "stream.encryption",
                N_("Encryption"),
                words={
                    "client": N_("When the device asks for it"),
                    "remote": N_("Always outside the local network"),
                    "always": N_("Always"),
                },
            ),
            _Row("fec_percent", "stream.fec_percent", N_("Error correction"), "%"),
        ),
    ),
    (
        N_("Desktop and company"),
        (
            _Row(
                "desktop_mode",
                "desktop.mode",
                N_("Where apps appear"),
                words={
                    "own": N_("On a display of their own"),
                    "attach": N_("On the desktop of this machine"),
                },
            ),
            _Row(
                "second_client",
                "stream.second_client",
                N_("When another device plays the app already"),
                words={
                    "own": N_("A session of its own"),
                    "join": N_("Join it"),
                    "take_over": N_("Take its place"),
                    "refuse": N_("Refuse, and say who plays"),
                },
            ),
            _Row(
                "guests",
                "stream.guests",
                N_("A device that has joined may"),
                words={"play": N_("Play"), "watch": N_("Only watch")},
            ),
        ),
    ),
)
_DRIVERS = (
    N_("Drivers"),
    (
        _Row("compositor", "drivers.compositor", N_("Compositors")),
        _Row("capture", "drivers.capture", N_("Captures")),
        _Row("encode", "drivers.encode", N_("Encoders")),
        _Row("audio", "drivers.audio", N_("Sound sources")),
        _Row("input", "drivers.input", N_("Inputs")),
        _Row("gamepad", "drivers.gamepad", N_("Gamepads")),
    ),
)


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


def own_settings(loaded: LoadedConfig, *, app: str = "", client: str = "") -> Sequence[OwnGroup]:
    """Make the lines of the form for an app, a client or the two together.

    Args:
        app: A library id, or empty.
        client: A whole fingerprint, or empty.
    """
    own = own_values(loaded.settings, app, client)
    general = {it.key: it for it in explain(loaded, "", "")}

    def lines(rows: Iterable[_Row]) -> Sequence[OwnSetting]:
        return [
            _line(row, own.get(row.name), general[row.key].value, general[row.key].origin)
            for row in rows
        ]

    groups = [OwnGroup(_(title), lines(rows)) for title, rows in _GROUPS]
    title, rows = _DRIVERS
    return [*groups, OwnGroup(_(title), lines(rows), folded=True)]


def own_in_words(loaded: LoadedConfig, app: str, client: str) -> Sequence[tuple[str, str]]:
    """Say what is set for just these sessions: labels and values."""
    own = own_values(loaded.settings, app, client)
    rows = [row for _title, rows in (*_GROUPS, _DRIVERS) for row in rows]
    return [(_(row.label), _said(row, own[row.name])) for row in rows if row.name in own]


def place_in_words(origin: Origin) -> str:
    """Where a value comes from."""
    if origin.source is Source.DEFAULT:
        return _("built in")
    return origin.place


def _line(row: _Row, own: object, general: object, origin: Origin) -> OwnSetting:
    rule = KNOWN_IN_ENTRIES[f"{ARRAY}.{row.name}"].rule
    many = rule.type is tuple
    kind = "number" if rule.type is int else "choice" if rule.choices else "words"
    return OwnSetting(
        name=row.name,
        label=_(row.label),
        unit=row.unit,
        kind=kind,
        own=_field(own, kind),
        general=_said(row, general),
        place=place_in_words(origin),
        least=rule.least,
        most=rule.most,
        choices=_choices(row, rule.choices, own) if kind == "choice" else (),
        json=many and kind == "choice",
    )


def _field(value: object, kind: str) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return json.dumps(value) if kind == "choice" else ", ".join(value)
    return str(value)


def _choices(row: _Row, names: Sequence[str], own: object) -> Sequence[tuple[str, str]]:
    if row.words is not _CODECS:
        return [(name, _said(row, name)) for name in names]
    some = [it for count in (1, 2, 3) for it in combinations(names, count)]
    if isinstance(own, tuple) and own not in some:  # written by hand, in an order of its own
        some.append(own)
    return [(json.dumps(it), _said(row, it)) for it in some]


def _said(row: _Row, value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(row.words.get(it, it) for it in value) or _("by rank")
    if isinstance(value, int):
        return f"{number(value)} {row.unit}"
    text = str(value)
    return _(row.words[text]) if text in row.words else text
