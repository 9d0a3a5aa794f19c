"""One client's way from `/launch` or `/resume` to a running stream, over RTSP."""

import logging
import secrets
from collections.abc import Awaitable, Callable

from punktfunk.errors import DriverFailed, DriverUnavailable, Refused
from punktfunk.gamestream.launch import LaunchRequest
from punktfunk.gamestream.negotiation import StreamLimits, negotiate
from punktfunk.gamestream.rtsp import RtspRequest, RtspResponse, SealedRtsp
from punktfunk.gamestream.rtsp_dialogue import RtspDialogue, StartStream, Step
from punktfunk.gamestream.sdp import HostCapabilities
from punktfunk.model.session import StreamPlan
from punktfunk.model.stream import StreamPorts

log = logging.getLogger(__name__)

HANDSHAKE_TIMEOUT_S = 10.0
"""Between two requests of the client, and from the launch to the first."""

Start = Callable[[StreamPlan], Awaitable[None]]


class Handshake:
    """Implements `punktfunk.net.rtsp_server.RtspSession`.

    Args:
        start: Starts the stream; the client's ANNOUNCE is answered when it returns.
        touched: Called with every request, so that the waiting time starts anew.
        over: Called once no request is expected any more: the stream plays, or was refused.
    """

    def __init__(
        self,
        *,
        stream_id: int,
        request: LaunchRequest,
        remote_ip: str,
        local_ip: str | None,
        ports: StreamPorts,
        capabilities: HostCapabilities,
        limits: StreamLimits,
        start: Start,
        touched: Callable[[], None],
        over: Callable[[], None],
    ) -> None:
        self._stream_id = stream_id
        self._key, self._key_id = request.ri_key, request.ri_key_id
        self._remote_ip = remote_ip
        self._local_ip = local_ip
        self._limits = limits
        self._start = start
        self._touched = touched
        self._over = over
        self._ping_payload = secrets.token_hex(8).upper()
        self._connect_data = secrets.randbits(32)
        self._seal = SealedRtsp(request.ri_key) if request.encrypted_rtsp else None
        self._dialogue = RtspDialogue(
            ports,
            self._ping_payload,
            self._connect_data,
            capabilities,
            secrets.token_hex(8).upper(),
        )

    @property
    def id(self) -> int:
        return self._stream_id

    @property
    def seal(self) -> SealedRtsp | None:
        return self._seal

    @property
    def remote_ip(self) -> str:
        return self._remote_ip

    async def handle(self, request: RtspRequest) -> RtspResponse:
        self._touched()
        answer = self._dialogue.receive(request)
        if isinstance(answer, StartStream):
            answer = await self._start_stream(answer)
        if self._dialogue.step in (Step.DONE, Step.REFUSED):
            self._over()
        return answer

    async def _start_stream(self, wanted: StartStream) -> RtspResponse:
        try:
            await self._start(self._plan(wanted))
        except Refused as error:
            log.info("stream refused: %s", error, extra={"stream": self._stream_id})
            return self._dialogue.refused(error)
        except (DriverUnavailable, DriverFailed) as error:
            return self._dialogue.refused(Refused(in_words(error)), 503)
        return self._dialogue.started()

    def _plan(self, start: StartStream) -> StreamPlan:
        return StreamPlan(
            stream_id=self._stream_id,
            request=negotiate(start.announce, self._limits),
            key=self._key,
            key_id=self._key_id,
            ping_payload=self._ping_payload.encode(),
            connect_data=self._connect_data,
            client_ip=self._remote_ip,
            local_ip=self._local_ip,
        )


def in_words(error: DriverUnavailable | DriverFailed) -> str:
    """What did not work and what to do about it, for the person at the client."""
    if isinstance(error, DriverFailed):
        return str(error)
    hint = f" ({error.hint})" if error.hint else ""
    return f"{error.driver}: {error.reason}{hint}"
