"""One session as the host sees it: its worker, and the clients that are in it."""

import logging
import time
from collections.abc import Callable
from hashlib import sha256

import attrs

from punktfunk.errors import Refused
from punktfunk.events import Publish
from punktfunk.host.handshake import Handshake
from punktfunk.host.member import Member, size_of
from punktfunk.model.apps import App
from punktfunk.model.clients import Fingerprint, PairedClient
from punktfunk.model.session import SessionPlan, StreamEnd, StreamPlan, StreamSample
from punktfunk.model.video import Codec, VideoMode
from punktfunk.session.messages import (
    Alive,
    AppEnded,
    Connected,
    DisplayBack,
    DisplayLost,
    StreamEnded,
    ToHost,
)
from punktfunk.session.stream import MediaSockets
from punktfunk.session.supervisor import Worker

log = logging.getLogger(__name__)


class HostSession:
    """From launch to quit. Made when its worker has brought the display up.

    The client that launched it owns it: the display has its mode, and its quit ends all.

    Attributes:
        slot: Which ports its first client has; free again when the session is gone.
        members: Its clients, the longest first; those that are leaving are still there.
        started_unix: When its display and app were up.
        mode: What the display shows, as the owner asked for it.
        on_sample: Told of every second of every client's stream.
        publish: Tells of what becomes of its streams.
    """

    def __init__(
        self,
        *,
        slot: int,
        client: PairedClient,
        sockets: MediaSockets,
        app: App,
        plan: SessionPlan,
        worker: Worker,
        control_v2_used: Callable[[Fingerprint], None],
    ) -> None:
        self.slot = slot
        self.app = app
        self.plan = plan
        self.worker = worker
        self.started_unix = int(time.time())
        self.mode = plan.mode
        self.on_sample: Callable[[HostSession, Member, StreamSample], None] = (
            lambda session, member, sample: None
        )
        self.publish: Publish = lambda event_type, /, **data: None
        self.ending = False
        self.end_reason: StreamEnd | None = None
        self._used_keys: set[bytes] = set()
        self._control_v2_used = control_v2_used
        self._streams: dict[int, Member] = {}
        self._places = 0
        self.members: list[Member] = []
        self.owner = self.add(client, slot, sockets)
        worker.on_message = self._on_message

    @property
    def id(self) -> int:
        return self.plan.session_id

    @property
    def client(self) -> Fingerprint:
        """Whose it is."""
        return self.owner.fingerprint

    @property
    def handshakes(self) -> list[Handshake]:
        """Those that are under way."""
        return [it.handshake for it in self.members if it.handshake is not None]

    @property
    def codec(self) -> Codec | None:
        """What its pictures are encoded with now, for most of those who see them."""
        streams = [it.stream for it in (self.owner, *self.members) if it.stream is not None]
        return streams[0].request.codec if streams else None

    def member(self, client: str) -> Member | None:
        """A client's place in it; None for one that is leaving."""
        found = (it for it in self.members if it.fingerprint == client and not it.leaving)
        return next(found, None)

    def member_of_stream(self, stream_id: int) -> Member | None:
        """Whose stream this is."""
        found = (it for it in self.members if it.stream and it.stream.stream_id == stream_id)
        return next(found, None)

    def add(self, client: PairedClient, slot: int, sockets: MediaSockets) -> Member:
        """Give a client a place; all but the first are guests."""
        member = Member(
            self,
            client,
            place=self._places,
            slot=slot,
            sockets=sockets,
            guest=bool(self.members),
        )
        self._places += 1
        self.members.append(member)
        return member

    def hand_over(self, client: PairedClient) -> Member:
        """Give another client the owner's place, its ports and pads included."""
        old = self.owner
        old.leaving = True
        old.drop_handshake()
        old.stop_stream(StreamEnd.TAKEN_OVER)
        self.owner = Member(self, client, place=old.place, slot=old.slot, sockets=old.sockets)
        self.members[self.members.index(old)] = self.owner
        return self.owner

    def promote(self, guest: Member) -> None:
        """The owner goes, and the session stays."""
        guest.guest = guest.watches = False
        self.owner = guest

    def heir(self) -> Member | None:
        """Who of those that stream, and do not only watch, has been its guest for longest."""
        guests = (it for it in self.members if it.guest and not it.leaving and not it.watches)
        return next((it for it in guests if it.stream is not None), None)

    async def remove(self, member: Member, reason: StreamEnd) -> None:
        """Take a client out, and wait until its stream is over. Its ports are free then."""
        member.leaving = True
        member.drop_handshake()
        member.stop_stream(reason)
        await member.stream_over()
        if member in self.members:
            self.members.remove(member)
            member.close()

    def use_key(self, key: bytes) -> None:
        """Take a key for the next stream.

        Raises:
            Refused: an earlier stream had it. Counters start anew with each stream, and a
                nonce must never be used twice under one key.
        """
        digest = sha256(key).digest()
        if digest in self._used_keys:
            raise Refused("a new stream needs a new key", status=400)
        self._used_keys.add(digest)

    def drop_handshakes(self) -> None:
        for member in self.members:
            member.drop_handshake()

    def worker_gone(self) -> None:
        """Whatever streamed has ended, also when nobody could say so."""
        self.ending = True
        for stream_id, member in list(self._streams.items()):
            self._ended(stream_id, member, StreamEnd.FAILED)
        for member in self.members:
            member.close()

    def admit(self, member: Member, stream: StreamPlan) -> StreamPlan:
        if self.ending or member.leaving:
            raise Refused("this launch is over", status=503)
        request = stream.request
        if member.guest:
            self.check_size(request.mode)
            if request.mode.refresh_mhz >= self.mode.refresh_mhz:
                request = attrs.evolve(request, mode=self.mode)
        self._streams[stream.stream_id] = member
        return attrs.evolve(
            stream,
            request=request,
            place=member.place,
            guest=member.guest,
            watches=member.watches,
        )

    def failed(self, stream: StreamPlan) -> None:
        self._streams.pop(stream.stream_id, None)

    def began(self, member: Member, stream: StreamPlan) -> None:
        request = stream.request
        log.info(
            "stream started: %s %s",
            request.mode,
            request.codec,
            extra={"session": self.id, "stream": stream.stream_id},
        )
        if request.control_v2:
            self._control_v2_used(member.fingerprint)
        if not stream.guest and request.mode != self.mode:
            self.mode = request.mode
            self.publish("display.changed", session_id=self.id, **size_of(self.mode))

    def tell(self, event_type: str, member: Member, stream_id: int, **data: object) -> None:
        told = {"session_id": self.id, "stream_id": stream_id, "client": member.fingerprint}
        self.publish(event_type, **told, **data)

    def check_size(self, wanted: VideoMode) -> None:
        """A guest sees the owner's picture, and no client can scale one it did not ask for.

        Raises:
            Refused: with the size to choose.
        """
        size = (self.mode.width_px, self.mode.height_px)
        if (wanted.width_px, wanted.height_px) != size:
            shown = f"{size[0]}x{size[1]}"
            raise Refused(
                f"{self.owner.client.name} plays {self.app.title} in {shown}: choose {shown} on "
                "this device to join",
                status=503,
            )

    def _take(self, sample: StreamSample) -> None:
        member = self._streams.get(sample.stream_id)
        if member is not None:
            member.take(sample)
            self.on_sample(self, member, sample)

    def _ended(self, stream_id: int, member: Member, reason: StreamEnd) -> None:
        self._streams.pop(stream_id, None)
        member.stream_ended(stream_id, reason)

    def _on_message(self, message: ToHost) -> None:
        match message:
            case Alive(samples=samples):
                for sample in samples:
                    self._take(sample)
            case Connected(stream_id=stream_id) if stream_id in self._streams:
                self._streams[stream_id].stream_connected(stream_id)
            case StreamEnded(stream_id=stream_id, reason=reason, detail=detail):
                log.info(
                    "stream ended: %s%s",
                    reason,
                    f": {detail}" if detail else "",
                    extra={"session": self.id, "stream": stream_id},
                )
                if stream_id in self._streams:
                    self._ended(stream_id, self._streams[stream_id], reason)
            case DisplayLost(reason=reason):
                log.warning("display lost: %s", reason, extra={"session": self.id})
                self.publish("session.display_lost", session_id=self.id, reason=reason)
            case DisplayBack(after_ms=after_ms):
                log.info("display is back", extra={"session": self.id, "after_ms": after_ms})
                self.publish("session.display_back", session_id=self.id, after_ms=after_ms)
            case AppEnded(last_line=last_line):
                self.ending, self.end_reason = True, StreamEnd.APP_ENDED
                said = f"; the last it said: {last_line}" if last_line else ""
                log.info("the app has ended%s", said, extra={"session": self.id})
            case _:
                log.debug("unexpected message of a worker: %s", type(message).__name__)
