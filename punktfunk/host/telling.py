"""Who is told of what happens to sessions, clients and games."""

import attrs

from punktfunk.gamestream.pairing import PairingAttempt
from punktfunk.host.events import Events
from punktfunk.host.member import Member
from punktfunk.host.session import HostSession
from punktfunk.host.sessions import Sessions
from punktfunk.library import Library
from punktfunk.model.events import Event
from punktfunk.model.session import StreamSample
from punktfunk.stats import Stats, StreamLabel, label_of
from punktfunk.trust.native import NativePairing
from punktfunk.trust.pairing import PairingService
from punktfunk.trust.store import ClientStore


@attrs.frozen(kw_only=True)
class Telling:
    """Turns what the parts of a host report into events and figures."""

    events: Events
    sessions: Sessions
    clients: ClientStore
    native: NativePairing
    pairing: PairingService
    library: Library
    stats: Stats

    def connect(self) -> None:
        """From now on."""
        sessions, publish = self.sessions, self.events.publish
        sessions.publish = self.stats.publish = publish
        self.library.on_changed = lambda change: publish("library.changed", **attrs.asdict(change))
        sessions.on_sample = self._take_sample
        self.clients.on_removed(sessions.end_client)
        self.events.bus.listeners.append(self._note_last_seen)
        for store in (self.clients, self.native.store):
            store.on_changed(
                lambda client: publish(
                    "client.changed", client=client.fingerprint, name=client.name
                )
            )
            store.on_removed(lambda client: publish("client.unpaired", client=client))
            store.on_added(
                lambda client: publish("client.paired", client=client.fingerprint, name=client.name)
            )
        self.pairing.on_waiting = lambda attempt: publish("pairing.waiting", **_device(attempt))
        self.pairing.on_failed = lambda attempt, reason: publish(
            "pairing.failed", **_device(attempt), reason=reason
        )
        self.pairing.on_held_off = lambda device: publish(
            "pairing.held_off",
            name=device.client_name,
            address=device.address,
            wait_s=device.seconds_left,
        )
        sessions.on_started = lambda session: publish("session.started", **self._told_of(session))
        sessions.on_ended = lambda session, cause: publish(
            "session.ended",
            **self._told_of(session),
            reason=cause or session.end_reason or "ended",
        )

    def _told_of(self, session: HostSession) -> dict[str, object]:
        client = self.clients.get(session.client)
        return {
            "session_id": session.id,
            "app": session.app.library_id,
            "title": session.app.title,
            "client": session.client,
            "client_name": client.name if client else "",
        }

    def _note_last_seen(self, event: Event) -> None:
        if event.type in ("client.paired", "stream.connected", "stream.ended"):
            client = self.clients.get(str(event.data["client"]))
            if client is not None:  # it may have ended because it was unpaired
                self.clients.last_seen.note(client.fingerprint, write=True)

    def _take_sample(self, session: HostSession, member: Member, sample: StreamSample) -> None:
        stream = member.stream
        if stream is not None:
            self.stats.record(
                sample,
                StreamLabel(
                    session_id=session.id,
                    mode=stream.request.mode,
                    codec=stream.request.codec,
                    client=label_of(member.fingerprint),
                ),
            )


def _device(attempt: PairingAttempt) -> dict[str, object]:
    return {
        "pairing_id": attempt.id,
        "name": attempt.client_name,
        "address": attempt.key.address,
    }
