"""The seven requests with which a client sets up a stream, in their one order.

docs/protocol/gamestream.md, section 3.4.
"""

import hmac
from enum import Enum

import attrs

from punktfunk.errors import ProtocolError
from punktfunk.gamestream.rtsp import RtspRequest, RtspResponse, answer, refusal
from punktfunk.gamestream.sdp import Announce, HostCapabilities, describe, parse_announce
from punktfunk.model.stream import StreamPorts

_METHODS = frozenset({"OPTIONS", "DESCRIBE", "SETUP", "ANNOUNCE", "PLAY"})
_STREAMS = frozenset({"audio", "video", "control"})


class Step(Enum):
    """The request that must come next. The value is its method, and for SETUP its stream."""

    OPTIONS = ("OPTIONS", "")
    DESCRIBE = ("DESCRIBE", "")
    SETUP_AUDIO = ("SETUP", "audio")
    SETUP_VIDEO = ("SETUP", "video")
    SETUP_CONTROL = ("SETUP", "control")
    ANNOUNCE = ("ANNOUNCE", "")
    STARTING = ("", "starting")
    PLAY = ("PLAY", "")
    DONE = ("", "done")
    REFUSED = ("", "refused")


_AFTER = dict(zip(list(Step)[:5], list(Step)[1:6], strict=True))


@attrs.frozen
class StartStream:
    """Not an answer yet: start the stream, then ask the dialogue for the answer."""

    announce: Announce


class RtspDialogue:
    """One client's way from OPTIONS to PLAY.

    Args:
        ports: Bound already: the first pings come right after the first SETUP.
        ping_payload: 16 printable characters, a secret.
        connect_data: Comes back when the control stream connects; 0 to 2**32 - 1.
        session_token: Must come back in every request after the first SETUP.
    """

    def __init__(
        self,
        ports: StreamPorts,
        ping_payload: str,
        connect_data: int,
        capabilities: HostCapabilities,
        session_token: str,
    ) -> None:
        if len(ping_payload) != 16 or not ping_payload.isascii():
            raise ValueError("a ping payload has 16 ASCII characters")
        self._ports = ports
        self._ping_payload = ping_payload
        self._connect_data = connect_data
        self._capabilities = capabilities
        self._token = session_token
        self._step = Step.OPTIONS
        self._cseq = 0

    @property
    def step(self) -> Step:
        return self._step

    def receive(self, request: RtspRequest) -> RtspResponse | StartStream:
        """Take the next request.

        A wrong request is answered with an error and changes nothing. After `StartStream`
        call `started` or `refused`; until then nothing else is accepted.
        """
        wrong = self._what_is_wrong(request)
        if wrong is not None:
            return wrong
        self._cseq = request.cseq or 0
        if self._step is Step.ANNOUNCE:
            return self._announce(request)
        response = answer(self._cseq, *self._headers(), body=self._body())
        self._step = _AFTER.get(self._step, Step.DONE)
        return response

    def started(self) -> RtspResponse:
        """The stream runs: the answer to ANNOUNCE."""
        self._leave_starting(Step.PLAY)
        return answer(self._cseq)

    def refused(self, error: Exception, status: int = 400) -> RtspResponse:
        """The stream does not start: the answer to ANNOUNCE, and the end of the dialogue.

        Args:
            error: Its words become the reason, its field `status` the number.
            status: The number when the error names none.
        """
        self._leave_starting(Step.REFUSED)
        return refusal(self._cseq, error, status)

    def _what_is_wrong(self, request: RtspRequest) -> RtspResponse | None:
        if request.cseq is None:
            return answer(0, status=400, reason="Bad Request")
        if request.method not in _METHODS:
            return answer(request.cseq, status=405, reason="Method Not Allowed")
        method, stream = self._step.value
        if request.method != method:
            return answer(request.cseq, status=455, reason="Method Not Valid in This State")
        if stream and _stream(request.target) != stream:
            status, reason = 404, "Stream Not Found"
            if _stream(request.target) in _STREAMS:
                status, reason = 455, "Method Not Valid in This State"
            return answer(request.cseq, status=status, reason=reason)
        if not self._knows_session(request):
            return answer(request.cseq, status=454, reason="Session Not Found")
        return None

    def _knows_session(self, request: RtspRequest) -> bool:
        if self._step in (Step.OPTIONS, Step.DESCRIBE, Step.SETUP_AUDIO):
            return True
        token = (request.header("Session") or "").partition(";")[0].strip()
        return hmac.compare_digest(token.encode(), self._token.encode())

    def _headers(self) -> list[tuple[str, str]]:
        session = ("Session", f"{self._token};timeout = 90")
        ping = ("X-SS-Ping-Payload", self._ping_payload)
        match self._step:
            case Step.DESCRIBE:
                return [("Content-type", "application/sdp")]
            case Step.SETUP_AUDIO:
                return [session, _transport(self._ports.audio), ping]
            case Step.SETUP_VIDEO:
                return [session, _transport(self._ports.video), ping]
            case Step.SETUP_CONTROL:
                data = ("X-SS-Connect-Data", str(self._connect_data))
                return [session, _transport(self._ports.control), data]
            case _:
                return []

    def _body(self) -> bytes:
        return describe(self._capabilities) if self._step is Step.DESCRIBE else b""

    def _announce(self, request: RtspRequest) -> RtspResponse | StartStream:
        try:
            announce = parse_announce(request.body, request.header("Host") or "")
        except ProtocolError as error:
            return refusal(request.cseq, error)
        self._step = Step.STARTING
        return StartStream(announce)

    def _leave_starting(self, step: Step) -> None:
        if self._step is not Step.STARTING:
            raise RuntimeError("no stream was asked for")
        self._step = step


def _stream(target: str) -> str:
    """The word between `=` and the first `/` of a SETUP target."""
    return target.partition("=")[2].partition("/")[0]


def _transport(port: int) -> tuple[str, str]:
    return ("Transport", f"server_port={port}")
