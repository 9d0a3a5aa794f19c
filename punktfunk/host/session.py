"""One session as the host sees it: its worker, its stream, its handshake."""

import asyncio
import logging
from collections.abc import Callable
from hashlib import sha256

from punktfunk.errors import Refused
from punktfunk.events import Publish
from punktfunk.host.handshake import Handshake
from punktfunk.model.apps import App
from punktfunk.model.clients import Fingerprint
from punktfunk.model.session import SessionPlan, StreamEnd, StreamPlan, StreamSample
from punktfunk.session.messages import Alive, AppEnded, Connected, StreamEnded, ToHost
from punktfunk.session.supervisor import Worker
from punktfunk.stats import SessionTotals

log = logging.getLogger(__name__)


class HostSession:
    """From launch to quit. Made when its worker has brought the display up.

    Attributes:
        slot: Which ports it has; free again when the worker is gone.
        stream: What the connected client negotiated, or None.
        connected: The stream's control connection and picture address are known.
        sample: What the stream did in the last second.
        totals: What its streams have done in all.
        on_sample: Told of every second of the connected client's stream.
        publish: Tells of what becomes of its streams.
        control_v2_used: Called when a stream with the newer control encryption starts.
    """

    def __init__(
        self,
        *,
        slot: int,
        client: Fingerprint,
        app: App,
        plan: SessionPlan,
        worker: Worker,
        control_v2_used: Callable[[], None],
    ) -> None:
        self.slot = slot
        self.client = client
        self.app = app
        self.plan = plan
        self.worker = worker
        self.stream: StreamPlan | None = None
        self.connected = False
        self.sample: StreamSample | None = None
        self.totals = SessionTotals()
        self.on_sample: Callable[[HostSession, StreamSample], None] = lambda session, sample: None
        self.publish: Publish = lambda event_type, /, **data: None
        self.handshake: Handshake | None = None
        self.ending = False
        self.end_reason: StreamEnd | None = None
        self._mode = plan.mode
        self._used_keys: set[bytes] = set()
        self._control_v2_used = control_v2_used
        self._timer: asyncio.TimerHandle | None = None
        self._timeout_s = 0.0
        self._started = 0
        self._unused: Callable[[], None] = lambda: None
        worker.on_message = self._on_message

    @property
    def id(self) -> int:
        return self.plan.session_id

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
            Refused: the session is ending, or the client has asked anew since.
            DriverUnavailable, DriverFailed: it cannot be had.
        """
        handshake = self.handshake
        if self.ending or handshake is None or handshake.id != stream.stream_id:
            raise Refused("this launch is over", status=503)
        self._stop_timer()  # it is our turn
        # Before the answer: the stream may end so soon that we hear of that first.
        self.stream, self.connected, self.sample = stream, False, None
        try:
            await self.worker.start_stream(stream)
        except BaseException:
            self._forget_stream(stream.stream_id)
            raise
        finally:
            if self.handshake is handshake:
                self.touch()
        self._started = stream.stream_id
        if stream.request.control_v2:
            self._control_v2_used()
        log.info(
            "stream started: %s %s",
            stream.request.mode,
            stream.request.codec,
            extra={"session": self.id, "stream": stream.stream_id},
        )
        if self.stream is stream:
            self._tell_start(stream)

    def worker_gone(self) -> None:
        """Whatever streamed has ended, also when nobody could say so."""
        if self.stream is not None:
            self._tell_end(self.stream.stream_id, StreamEnd.FAILED)
            self._forget_stream(self.stream.stream_id)

    def stop_stream(self, reason: StreamEnd) -> None:
        if self.stream is not None:
            self.worker.stop_stream(reason)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _forget_stream(self, stream_id: int) -> None:
        if self.stream is not None and self.stream.stream_id == stream_id:
            self.stream, self.connected, self.sample = None, False, None

    def _take(self, samples: tuple[StreamSample, ...]) -> None:
        self.sample = samples[-1] if samples else None
        for sample in samples:
            self.totals.add(sample)
            if self.stream is not None and self.stream.stream_id == sample.stream_id:
                self.on_sample(self, sample)

    def _tell_start(self, stream: StreamPlan) -> None:
        mode = stream.request.mode
        size = {"width": mode.width_px, "height": mode.height_px, "fps": round(mode.refresh_hz)}
        if mode != self._mode:
            self._mode = mode
            self.publish("display.changed", session_id=self.id, **size)
        self._tell(
            "stream.started",
            stream.stream_id,
            codec=stream.request.codec,
            bitrate_kbps=stream.request.bitrate_kbps,
            **size,
        )

    def _tell_end(self, stream_id: int, reason: StreamEnd) -> None:
        if stream_id <= self._started:  # else nobody has heard of it
            self._tell("stream.ended", stream_id, reason=reason)

    def _tell(self, event_type: str, stream_id: int, **data: object) -> None:
        told = {"session_id": self.id, "stream_id": stream_id, "client": self.client}
        self.publish(event_type, **told, **data)

    def _on_message(self, message: ToHost) -> None:
        match message:
            case Alive(samples=samples):
                self._take(samples)
            case Connected(stream_id=stream_id):
                self.connected = self.stream is not None and self.stream.stream_id == stream_id
                if self.connected:
                    self._tell("stream.connected", stream_id)
            case StreamEnded(stream_id=stream_id, reason=reason, detail=detail):
                log.info(
                    "stream ended: %s%s",
                    reason,
                    f": {detail}" if detail else "",
                    extra={"session": self.id, "stream": stream_id},
                )
                self._tell_end(stream_id, reason)
                self._forget_stream(stream_id)
                if reason is StreamEnd.NEVER_CONNECTED:
                    self._unused()
            case AppEnded(last_line=last_line):
                self.ending, self.end_reason = True, StreamEnd.APP_ENDED
                said = f"; the last it said: {last_line}" if last_line else ""
                log.info("the app has ended%s", said, extra={"session": self.id})
            case _:
                log.debug("unexpected message of a worker: %s", type(message).__name__)
