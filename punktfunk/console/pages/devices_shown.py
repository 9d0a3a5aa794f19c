"""Devices as the page shows them: both protocols' clients, and what they do right now."""

from collections.abc import Sequence

import attrs
from quart import g

from punktfunk.config import LoadedConfig
from punktfunk.config.overrides import own_values
from punktfunk.console.overrides import own_in_words
from punktfunk.mgmt import views
from punktfunk.mgmt.requests import host
from punktfunk.mgmt.values import ClientStatus, SessionStatus
from punktfunk.model.access import Scope
from punktfunk.model.clients import Fingerprint, NativeClient, PairedClient
from punktfunk.trust.pending import PendingDevice
from punktfunk.trust.pin_window import ShownPin

START_CHARS = 8


@attrs.frozen(kw_only=True)
class Running:
    """What a device has running.

    Attributes:
        session: Where.
        client: Its own part in it.
        others: How many devices are in it besides.
    """

    session: SessionStatus
    client: ClientStatus

    @property
    def others(self) -> int:
        return len(self.session.clients) - 1


@attrs.frozen(kw_only=True)
class ShownDevice:
    """Attributes:
    own: How many settings it has of its own.
    path: Of the API, to change or unpair it.
    """

    fingerprint: Fingerprint
    name: str
    native: bool
    paired_at_unix: int
    last_seen_unix: int | None
    running: Running | None
    own: int

    @property
    def start(self) -> str:
        """How its fingerprint begins."""
        return self.fingerprint[:START_CHARS]

    @property
    def path(self) -> str:
        kind = "native/clients" if self.native else "clients"
        return f"api/v1/{kind}/{self.fingerprint}"


@attrs.frozen(kw_only=True)
class NativeWindow:
    """Attributes:
    shown: None while pairing is not armed, and for those who may not see a PIN.
    """

    enabled: bool
    shown: ShownPin | None
    pending: Sequence[PendingDevice]


def shown_devices() -> Sequence[ShownDevice]:
    """Those that play first, then those that were here last."""
    return sorted(_all(), key=lambda it: (it.running is None, -(it.last_seen_unix or 0)))


def device_of(fingerprint: Fingerprint) -> ShownDevice | None:
    return next((it for it in _all() if it.fingerprint == fingerprint), None)


def native_window() -> NativeWindow:
    native = host().native
    may_see = g.login is not None and g.login.scope.includes(Scope.CONTROL)
    return NativeWindow(
        enabled=native.enabled,
        shown=native.shown_pin() if may_see else None,
        pending=native.pending(),
    )


def games_of(loaded: LoadedConfig, fingerprint: str) -> Sequence[tuple[str, Sequence[str]]]:
    """Library ids for which a device has settings of its own, and what they are."""
    apps = {
        it.app: None
        for it in loaded.settings.override
        if it.app and it.client and fingerprint.startswith(it.client)
    }
    return [
        (app, [f"{label}: {value}" for label, value in own_in_words(loaded, app, fingerprint)])
        for app in apps
    ]


def _all() -> Sequence[ShownDevice]:
    settings = host().operations.config.loaded.settings
    running = _running()

    def shown(client: PairedClient | NativeClient) -> ShownDevice:
        fingerprint = client.fingerprint
        return ShownDevice(
            fingerprint=fingerprint,
            name=client.name,
            native=isinstance(client, NativeClient),
            paired_at_unix=client.paired_at_unix,
            last_seen_unix=getattr(client, "last_seen_unix", None),
            running=running.get(fingerprint),
            own=len(own_values(settings, client=fingerprint)),
        )

    found: Sequence[PairedClient | NativeClient]
    found = [*host().clients(), *host().native.store.clients()]
    return [shown(it) for it in found]


def _running() -> dict[Fingerprint, Running]:
    status = views.runtime_status(host().sessions(), paired_clients=0, pin_pending=False)
    return {
        client.client: Running(session=session, client=client)
        for session in status.sessions
        for client in session.clients
    }
