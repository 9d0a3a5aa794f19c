"""One client in a session, as the host sees it: its ports, its handshake, its stream."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from punktfunk.errors import Refused
from punktfunk.host.handshake import Handshake
from punktfunk.model.clients import Fingerprint, PairedClient
from punktfunk.model.session import StreamEnd, StreamPlan, StreamSample
from punktfunk.model.video import VideoMode
from punktfunk.session.stream import MediaSockets
from punktfunk.session.supervisor import Worker
from punktfunk.stats import SessionTotals


class Room(Protocol):
    """The session, as its members know it."""

    worker: Worker

    def admit(self, member: "Member", stream: StreamPlan) -> StreamPlan:
        """Make a stream fit. Raises `Refused` where it cannot."""

    def failed(self, stream: StreamPlan) -> None:
        """It was admitted and did not start."""

    def began(self, member: "Member", stream: StreamPlan) -> None:
        """It started."""

    def tell(self, event_type: str, member: "Member", stream_id: int, **data: object) -> None:
        """Publish what has become of a stream."""


class Member:
    """From the client's launch to its leaving. Has one stream or none.

    Attributes:
        place: In the worker; pads and fingers go by it.
        slot: Which ports it has.
        guest: The session is another client's.
        watches: Its input is left out.
        leaving: It is on its way out, and does not count any more.
        stream: What it negotiated, or None.
        connected_unix: When the stream's control connection and picture address were known;
            None while they are not.
        sample: What the stream did in the last second.
        totals: What its streams have done in all.
    """

    def __init__(
        self,
        room: Room,
        client: PairedClient,
        *,
        place: int,
        slot: int,
        sockets: MediaSockets,
        guest: bool = False,
    ) -> None:
        self.client = client
        self.place = place
        self.slot = slot
        self.sockets = sockets
        self.guest = guest
        self.watches = False
        self.leaving = False
        self.stream: StreamPlan | None = None
        self.connected_unix: int | None = None
        self.sample: StreamSample | None = None
        self.totals = SessionTotals()
        self.handshake: Handshake | None = None
        self._room = room
        self._timer: asyncio.TimerHandle | None = None
        self._timeout_s = 0.0
        self._started = 0
        self._unused: Callable[[], None] = lambda: None
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def fingerprint(self) -> Fingerprint:
        return self.client.fingerprint

    @property
    def connected(self) -> bool:
        return self.connected_unix is not None

    @property
    def away(self) -> bool:
        """It neither streams nor is about to."""
        return self.stream is None and self.handshake is None

    def expect(self, handshake: Handshake, timeout_s: float, unused: Callable[[], None]) -> None:
        """Wait for the client's RTSP requests; an earlier handshake is over.

        Args:
            timeout_s: From one request to the next.
            unused: Called when no client came of it: it fell silent, was refused, or never
                connected to its stream.
        """
        self.drop_handshake()
        self.handshake = handshake
        self._timeout_s = timeout_s
        self._unused = unused
        self.touch()

    def touch(self) -> None:
        """A request came: the waiting time starts anew."""
        self._stop_timer()
        if self.handshake is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._timeout_s, self.handshake_over, self.handshake.id)

    def handshake_over(self, handshake_id: int) -> None:
        """No further request is expected, unless another handshake has taken its place."""
        if self.handshake is None or self.handshake.id != handshake_id:
            return
        self.drop_handshake()
        if handshake_id != self._started:
            self._unused()

    def drop_handshake(self) -> None:
        self._stop_timer()
        self.handshake = None

    async def start_stream(self, stream: StreamPlan) -> None:
        """Start the stream the handshake agreed on.

        Raises:
            Refused: the session is ending, the client has asked anew since, or it would not
                fit the session.
            DriverUnavailable, DriverFailed: it cannot be had.
        """
        handshake = self.handshake
        if handshake is None or handshake.id != stream.stream_id:
            raise Refused("this launch is over", status=503)
        stream = self._room.admit(self, stream)
        self._stop_timer()  # it is our turn
        # Before the answer: the stream may end so soon that we hear of that first.
        self.stream, self.connected_unix, self.sample = stream, None, None
        self._idle.clear()
        try:
            await self._room.worker.start_stream(stream, tuple(self.sockets))
        except BaseException:
            self._room.failed(stream)
            self._forget_stream(stream.stream_id)
            raise
        finally:
            if self.handshake is handshake:
                self.touch()
        self._started = stream.stream_id
        self._room.began(self, stream)
        if self.stream is stream:
            request = stream.request
            self._room.tell(
                "stream.started",
                self,
                stream.stream_id,
                codec=request.codec,
                bitrate_kbps=request.bitrate_kbps,
                **size_of(request.mode),
            )

    def stop_stream(self, reason: StreamEnd) -> None:
        if self.stream is not None:
            self._room.worker.stop_stream(self.stream.stream_id, reason)

    async def stream_over(self) -> None:
        """Wait until no stream of it is left."""
        await self._idle.wait()

    def stream_connected(self, stream_id: int) -> None:
        """The worker says so."""
        if self.stream is not None and self.stream.stream_id == stream_id:
            self.connected_unix = int(time.time())
            self._room.tell("stream.connected", self, stream_id)

    def stream_ended(self, stream_id: int, reason: StreamEnd) -> None:
        """The worker says so, or cannot say anything any more."""
        if stream_id <= self._started:  # else nobody has heard of it
            self._room.tell("stream.ended", self, stream_id, reason=reason)
        self._forget_stream(stream_id)
        if reason is StreamEnd.NEVER_CONNECTED:
            self._unused()

    def take(self, sample: StreamSample) -> None:
        """What its stream did in the last second."""
        self.totals.add(sample)
        if self.stream is not None and self.stream.stream_id == sample.stream_id:
            self.sample = sample

    def close(self) -> None:
        """It has left, or all is over."""
        self.drop_handshake()
        self.sockets.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _forget_stream(self, stream_id: int) -> None:
        if self.stream is not None and self.stream.stream_id == stream_id:
            self.stream, self.connected_unix, self.sample = None, None, None
            self._idle.set()


def size_of(mode: VideoMode) -> dict[str, int]:
    """As events tell it."""
    return {"width": mode.width_px, "height": mode.height_px, "fps": round(mode.refresh_hz)}
