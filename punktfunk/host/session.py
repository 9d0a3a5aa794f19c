"""One session as the host sees it: its worker, its stream, its handshake."""

import asyncio
import logging
from collections.abc import Callable
from hashlib import sha256

from punktfunk.errors import Refused
from punktfunk.host.handshake import HANDSHAKE_TIMEOUT_S, Handshake
from punktfunk.model.apps import App
from punktfunk.model.clients import Fingerprint
from punktfunk.model.session import SessionPlan, StreamEnd, StreamPlan, StreamSample
from punktfunk.session.messages import Alive, Connected, Failed, StreamEnded, ToHost
from punktfunk.session.supervisor import Worker

log = logging.getLogger(__name__)


class HostSession:
    """From launch to quit. Made when its worker has brought the display up.

    Attributes:
        slot: Which ports it has; free again when the worker is gone.
        stream: What the connected client negotiated, or None.
        connected: The stream's control connection and picture address are known.
        sample: What the stream did in the last second.
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
        self.handshake: Handshake | None = None
        self.ending = False
        self._used_keys: set[bytes] = set()
        self._control_v2_used = control_v2_used
        self._timer: asyncio.TimerHandle | None = None
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

    def expect(self, handshake: Handshake, expired: Callable[[], None]) -> None:
        """Wait a while for the client's RTSP requests.

        Args:
            expired: Called when none came in time, or the client stopped half-way.
        """
        self.drop_handshake()
        self.handshake = handshake
        self._expired = expired
        self.touch()

    def touch(self) -> None:
        """A request came: the waiting time starts anew."""
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(HANDSHAKE_TIMEOUT_S, self._expire)

    def drop_handshake(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.handshake = None

    async def start_stream(self, stream: StreamPlan) -> None:
        """Start the stream the handshake agreed on.

        Raises:
            Refused: the session is ending.
            DriverUnavailable, DriverFailed: it cannot be had.
        """
        if self.ending:
            raise Refused("the session is ending", status=503)
        await self.worker.start_stream(stream)
        self.stream = stream
        self.connected = False
        if stream.request.control_v2:
            self._control_v2_used()
        log.info(
            "stream started: %s %s",
            stream.request.mode,
            stream.request.codec,
            extra={"session": self.id, "stream": stream.stream_id},
        )

    def stop_stream(self, reason: StreamEnd) -> None:
        if self.stream is not None:
            self.worker.stop_stream(reason)

    def _expire(self) -> None:
        started = self.stream is not None and self.handshake is not None
        if (
            started
            and self.stream
            and self.handshake
            and self.stream.stream_id == self.handshake.id
        ):
            self.drop_handshake()  # PLAY came or the stream runs without it
            return
        self.drop_handshake()
        self._expired()

    def _on_message(self, message: ToHost) -> None:
        match message:
            case Alive(samples=samples):
                self.sample = samples[-1] if samples else None
            case Connected():
                self.connected = True
            case StreamEnded(stream_id=stream_id, reason=reason, detail=detail):
                log.info(
                    "stream ended: %s%s",
                    reason,
                    f": {detail}" if detail else "",
                    extra={"session": self.id, "stream": stream_id},
                )
                if self.stream is not None and self.stream.stream_id == stream_id:
                    self.stream, self.connected, self.sample = None, False, None
            case Failed(reason=reason):
                log.error("session failed: %s", reason, extra={"session": self.id})
            case _:
                log.debug("unexpected message of a worker: %s", type(message).__name__)
