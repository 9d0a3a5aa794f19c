"""What the doctor found, in the order in which a person wants to know it."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import attrs

from punktfunk.console.language import _
from punktfunk.console.shell import N_
from punktfunk.model.offers import Kind

KINDS: Mapping[str, str] = {
    Kind.COMPOSITOR: N_("Screens"),
    Kind.CAPTURE: N_("Picture"),
    Kind.ENCODE: N_("Encoder"),
    Kind.AUDIO: N_("Sound"),
    Kind.AUDIO_ENCODE: N_("Sound encoder"),
    Kind.INPUT: N_("Mouse and keyboard"),
    Kind.GAMEPAD: N_("Gamepads"),
}
"""Every kind of driver, in words for a person."""

_WORST_FIRST = ("bad", "warn", "ok")
_OPTIONAL = frozenset({Kind.GAMEPAD})
_SOFTWARE_RANK = 10


@attrs.frozen(kw_only=True)
class Part:
    """Something the host needs, and whether it is there.

    Attributes:
        name: Ours; `own_name` is the host's own word, in English.
        state: `ok`, `warn` (it works without) or `bad`.
        remark, hint: The host's own words, in English.
        note: Ours.
    """

    name: str = ""
    own_name: str = ""
    state: str
    remark: str
    hint: str = ""
    note: str = ""


def parts_of(report: Mapping[str, Any]) -> Sequence[Part]:
    """Worst first, otherwise as the doctor says it."""
    found = [
        *(_check(it, _("Start %(app)s", app=it["name"])) for it in report["apps"]),
        *_drivers(report),
        *(_check(it) for it in report["checks"]),
    ]
    return sorted(found, key=lambda it: _WORST_FIRST.index(it.state))


def _check(check: Mapping[str, Any], name: str = "") -> Part:
    state = "bad" if not check["ok"] else "warn" if check["hint"] else "ok"
    return Part(
        name=name,
        own_name="" if name else check["name"],
        state=state,
        remark=check["remark"],
        hint=check["hint"],
    )


def _drivers(report: Mapping[str, Any]) -> Iterable[Part]:
    plugins = report["probe"]["plugins"]
    offers = [offer for plugin in plugins for offer in plugin["offers"]]
    for choice in report["choices"]:
        kind, picked = choice["kind"], choice["picked"]
        of_kind = [it for it in offers if it["kind"] == kind]
        name = _(KINDS[kind]) if kind in KINDS else kind
        if picked is None:
            yield _missing(kind, name, of_kind)
            continue
        passed = {(it["driver"], it["attaches"]) for it in choice["passed_over"]}
        of_driver = [it for it in of_kind if it["driver"] == picked]
        offer = max(of_driver, key=lambda it: _standing(it, passed))
        software = kind == Kind.ENCODE and offer["rank"] <= _SOFTWARE_RANK
        yield Part(
            name=name,
            state="ok",
            remark=offer["title"] or picked,
            note=_("It costs processor time; a GPU would do it faster.") if software else "",
        )


def _standing(offer: Mapping[str, Any], passed: Container[tuple[str, bool]]) -> tuple[Any, ...]:
    """How likely an offer was picked. Two plugins may offer a driver of one name."""
    is_passed = (offer["driver"], offer["attaches"]) in passed
    return not is_passed, offer["availability"]["available"], int(offer["rank"])


def _missing(kind: str, name: str, offers: Sequence[Mapping[str, Any]]) -> Part:
    """The reason of the offer that would be tried first."""
    cannot = [it for it in offers if not it["availability"]["available"]]
    best = max(cannot, key=lambda it: int(it["rank"]), default=None)
    said = best["availability"] if best else {"reason": "no plugin offers it", "hint": ""}
    state = "warn" if kind in _OPTIONAL else "bad"
    note = _("Streams work without.") if kind in _OPTIONAL else ""
    return Part(name=name, state=state, remark=said["reason"], hint=said["hint"], note=note)
