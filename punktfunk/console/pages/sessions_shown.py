"""Sessions as pages show them: the API's own values, and what makes them quick to read."""

from collections.abc import Mapping, Sequence

import attrs

from punktfunk.console.language import _, ngettext
from punktfunk.console.pages.sessions_budget import Budget, budget_of
from punktfunk.console.shell import N_
from punktfunk.console.words import apart
from punktfunk.mgmt import requests, views
from punktfunk.mgmt.library_views import game_info
from punktfunk.mgmt.values import ClientStatus, RuntimeStatus, SessionStatus, StreamInfo
from punktfunk.model.video import Codec

CODECS: Mapping[Codec, str] = {Codec.H264: "H.264", Codec.HEVC: "H.265", Codec.AV1: "AV1"}

_ROLES: Mapping[str, str] = {
    "owner": N_("Owner"),
    "guest": N_("Guest"),
    "spectator": N_("Watches only"),
}
_FINGERPRINT_CHARS = 8


@attrs.frozen(kw_only=True)
class ShownClient:
    """Attributes:
    key: For ids on the page.
    budget: None while there are no figures.
    """

    status: ClientStatus
    key: str
    codec: str
    role: str
    encrypted: str
    budget: Budget | None


@attrs.frozen(kw_only=True)
class ShownSession:
    """Attributes:
    art: From the console's root; empty without a picture of our own.
    loses: What is lost when it is stopped, for a question.
    """

    status: SessionStatus
    clients: tuple[ShownClient, ...]
    art: str
    loses: str

    @property
    def streaming(self) -> tuple[ShownClient, ...]:
        return tuple(it for it in self.clients if it.status.streaming)


def runtime() -> RuntimeStatus:
    """What the API's status says now."""
    host = requests.host()
    return views.runtime_status(
        host.sessions(),
        paired_clients=len(host.clients()),
        pin_pending=bool(host.pending_pairings()),
    )


def shown_sessions(sessions: Sequence[SessionStatus]) -> list[ShownSession]:
    return [
        ShownSession(
            status=it,
            clients=tuple(_client(it, client) for client in it.clients),
            art=_art(it.app_id),
            loses=_loses(it),
        )
        for it in sessions
    ]


def _client(session: SessionStatus, client: ClientStatus) -> ShownClient:
    stream, stats = client.stream, client.stats
    return ShownClient(
        status=client,
        key=f"{session.id}-{client.client[:_FINGERPRINT_CHARS]}",
        codec=CODECS[stream.codec] if stream else "",
        role=_(_ROLES[client.role]),
        encrypted=_encrypted(stream) if stream else "",
        budget=budget_of(stats.stages, stream.fps) if stream and stats else None,
    )


def _encrypted(stream: StreamInfo) -> str:
    match stream.video_encrypted, stream.audio_encrypted:
        case True, True:
            return _("Picture, sound and input")
        case True, False:
            return _("Picture and input")
        case False, True:
            return _("Sound and input")
    return _("Input only")


def _art(app_id: str) -> str:
    game = requests.host().library.find(app_id)
    if game is None:
        return ""
    art = game_info(game).art
    ours = (it for it in (art.portrait, art.header) if it and it.startswith("/api/"))
    return next(ours, "").removeprefix("/")


def _loses(session: SessionStatus) -> str:
    who = [it.client_name for it in session.clients if it.streaming]
    app = _(
        "Stop %(app)s? It is closed, and what is not saved in it is lost.", app=apart(session.app)
    )
    if not who:
        return app
    if len(who) == 1:
        return f"{app} {_('%(device)s loses the picture.', device=apart(who[0]))}"
    count = ngettext("%(n)s device loses the picture.", "%(n)s devices lose the picture.", len(who))
    return f"{app} {count}"
