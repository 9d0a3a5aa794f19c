"""What happened lately, a sentence each."""

from collections.abc import Mapping, Sequence

import attrs
from markupsafe import Markup

from punktfunk.console.language import _
from punktfunk.console.shell import N_
from punktfunk.mgmt import requests
from punktfunk.model.events import Event

SHOWN = 12
_LOOKED_AT = 200
_FINGERPRINT_CHARS = 8

_SENTENCES: Mapping[str, str] = {
    "host.started": N_("The host started"),
    "pairing.waiting": N_("%(name)s asks to be paired"),
    "pairing.failed": N_("Pairing %(name)s came to nothing"),
    "client.paired": N_("%(name)s was paired"),
    "client.unpaired": N_("%(client)s was removed"),
    "session.started": N_("%(client_name)s started %(title)s"),
    "session.ended": N_("%(title)s ended"),
    "session.joined": N_("%(client_name)s joined a session"),
    "session.left": N_("%(client_name)s left a session"),
    "session.moved": N_("A session moved to %(client_name)s"),
    "session.display_lost": N_("A display was lost, and is being brought back"),
    "session.display_back": N_("The display is back"),
    "stream.connected": N_("%(client)s sees the picture"),
    "stream.ended": N_("The stream of %(client)s ended"),
    "plugins.changed": N_("Plugin %(plugin)s is another one now"),
    "config.changed": N_("Settings were changed: %(keys)s"),
    "stats.started": N_("A recording began"),
    "stats.stopped": N_("A recording ended"),
}
_REASONS: Mapping[str, str] = {
    "app_ended": N_("it was closed"),
    "cancelled": N_("it was called off"),
    "client_left": N_("left"),
    "client_vanished": N_("does not answer any more"),
    "ended": N_("ended"),
    "failed": N_("failed; the log says why"),
    "hostile": N_("broke the protocol"),
    "mode_changed": N_("the display changed"),
    "never_connected": N_("never connected"),
    "replaced": N_("came back with a new stream"),
    "stopped": N_("stopped from here"),
    "taken_over": N_("another device took over"),
    "timed_out": N_("took too long"),
    "unpaired": N_("unpaired"),
    "wrong_pin": N_("wrong PIN"),
}
_WARNING = frozenset({"failed", "hostile", "client_vanished", "never_connected", "wrong_pin"})
_BAD_NEWS = frozenset({"pairing.failed", "session.display_lost"})


@attrs.frozen(kw_only=True)
class Happening:
    """Attributes:
    text: With names of others in elements of their own.
    reason: In the page's language; `own_reason` is the host's, in English.
    """

    id: int
    unix_s: float
    text: Markup
    reason: str
    own_reason: str
    warns: bool


def happenings() -> Sequence[Happening]:
    """The newest first."""
    told = (it for it in requests.host().events.last(_LOOKED_AT) if it.type in _SENTENCES)
    names: dict[str, str] = {it.fingerprint: it.name for it in requests.host().clients()}
    return [_happening(event, names) for event, _number in zip(told, range(SHOWN), strict=False)]


def _happening(event: Event, names: Mapping[str, str]) -> Happening:
    reason = str(event.data.get("reason", ""))
    return Happening(
        id=event.id,
        unix_s=event.time_unix_ms / 1_000,
        text=Markup(_(_SENTENCES[event.type])) % _named(event, names),  # noqa: S704 - our words
        reason=_(_REASONS[reason]) if reason in _REASONS else "",
        own_reason="" if reason in _REASONS else reason,
        warns=reason in _WARNING or event.type in _BAD_NEWS,
    )


def _named(event: Event, names: Mapping[str, str]) -> dict[str, Markup]:
    values = dict(event.data)
    if (client := values.get("client")) is not None:
        values["client"] = names.get(str(client)) or str(client)[:_FINGERPRINT_CHARS]
    return {name: _apart(value) for name, value in values.items()}


def _apart(value: object) -> Markup:
    text = ", ".join(value) if isinstance(value, tuple) else str(value)
    return Markup("<bdi>{}</bdi>").format(text)
