"""RTSP as Moonlight speaks it: one request a connection, plain or sealed.

docs/protocol/gamestream.md, sections 3.1 to 3.3.
"""

import re
from collections.abc import Sequence

import attrs
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from punktfunk.errors import ProtocolError
from punktfunk.wire.reader import Reader

MAX_HEAD_BYTES = 16 * 1_024
MAX_BODY_BYTES = 64 * 1_024
MAX_HEADERS = 64

_END_OF_HEAD = b"\r\n\r\n"
_REQUEST_LINE = re.compile(r"([A-Z_]{1,32}) ([!-~]{1,1024}) RTSP/1\.0")
_HEADER = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}):[ \t]*([ -~]*?)[ \t]*")
_NUMBER = re.compile(r"[0-9]{1,10}")

_SEALED_BIT = 0x8000_0000
_FRAME_HEAD_BYTES = 24
_TAG_BYTES = 16
_FROM_CLIENT = b"CR"
_FROM_HOST = b"HR"
_MAX_SEQUENCE = 0xFFFF_FFFF


@attrs.frozen(kw_only=True)
class RtspRequest:
    """One request. Header names keep the spelling of the client."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = attrs.field(default=b"", repr=False)

    def header(self, name: str) -> str | None:
        """The first header of that name, in whatever case it was written."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def cseq(self) -> int | None:
        """The request's number, or None when it is missing or not a number."""
        text = self.header("CSeq") or ""
        return int(text) if _NUMBER.fullmatch(text) else None


@attrs.frozen(kw_only=True)
class RtspResponse:
    """One answer. Clients report any status but 200 to the person as the error's number."""

    status: int = 200
    reason: str = "OK"
    headers: tuple[tuple[str, str], ...] = attrs.field(repr=False)
    body: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen
class SealedFrame:
    """A request nobody has opened yet."""

    sequence: int
    tag: bytes = attrs.field(repr=False)
    ciphertext: bytes = attrs.field(repr=False)


class RequestReader:
    """Collects the bytes of one connection until they are one request.

    The first byte tells a sealed frame from plain text.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._head: RtspRequest | None = None
        self._wanted_bytes = 0
        self._done = False

    @property
    def head_complete(self) -> bool:
        """Whether the length of the request is known."""
        return self._wanted_bytes > 0

    def receive(self, data: bytes) -> RtspRequest | SealedFrame | None:
        """Accept bytes split anywhere; return the request once it is whole.

        Raises:
            ProtocolError: malformed, larger than allowed, or more than one request.
        """
        if self._done:
            raise ProtocolError("more than one request on a connection")
        self._buffer += data
        if not self._buffer:
            return None
        request = self._sealed() if self._buffer[0] & 0x80 else self._plain()
        self._done = request is not None
        return request

    def _sealed(self) -> SealedFrame | None:
        if len(self._buffer) < _FRAME_HEAD_BYTES:
            return None
        reader = Reader(bytes(self._buffer[:_FRAME_HEAD_BYTES]))
        length = reader.u32_be() & ~_SEALED_BIT
        if not 0 < length <= MAX_HEAD_BYTES + MAX_BODY_BYTES:
            raise ProtocolError("sealed request has an impossible length", announced_bytes=length)
        self._wanted_bytes = _FRAME_HEAD_BYTES + length
        if not self._all_here():
            return None
        sequence, tag = reader.u32_be(), reader.take(_TAG_BYTES)
        return SealedFrame(sequence, tag, bytes(self._buffer[_FRAME_HEAD_BYTES:]))

    def _plain(self) -> RtspRequest | None:
        if self._head is None and not self._read_head():
            return None
        if self._head is None or not self._all_here():
            return None
        body_bytes = _content_length(self._head)
        body = bytes(self._buffer[len(self._buffer) - body_bytes :])
        return attrs.evolve(self._head, body=body)

    def _read_head(self) -> bool:
        at = self._buffer.find(_END_OF_HEAD, self._searched)
        self._searched = max(0, len(self._buffer) - len(_END_OF_HEAD) + 1)
        if max(at, 0) > MAX_HEAD_BYTES or (at < 0 and len(self._buffer) > MAX_HEAD_BYTES):
            raise ProtocolError("request head too long", limit_bytes=MAX_HEAD_BYTES)
        if at < 0:
            return False
        self._head = _parse_head(bytes(self._buffer[:at]))
        self._wanted_bytes = at + len(_END_OF_HEAD) + _content_length(self._head)
        return True

    def _all_here(self) -> bool:
        if len(self._buffer) > self._wanted_bytes:
            raise ProtocolError("more than one request on a connection")
        return len(self._buffer) == self._wanted_bytes


class SealedRtsp:
    """Opens requests and seals answers of one session (`rtspenc`).

    Make one per key and keep it as long as the key lives: its counter is what keeps two
    answers from sharing a nonce.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._newest_received = 0
        self._last_sent = 0

    def try_open(self, frame: SealedFrame) -> bytes | None:
        """Return the request's bytes, or None when another key sealed it.

        Raises:
            ProtocolError: our key fits, but the sequence number is not above the last
                one: a replay.
        """
        plaintext = try_open(frame, self._key)
        if plaintext is None:
            return None
        if frame.sequence <= self._newest_received:
            raise ProtocolError("replayed request", sequence=frame.sequence)
        self._newest_received = frame.sequence
        return plaintext

    def seal(self, message: bytes) -> bytes:
        """Return the one frame an answer may consist of."""
        if self._last_sent >= _MAX_SEQUENCE:
            raise ProtocolError("no sequence numbers left under this key")
        self._last_sent += 1
        nonce = _nonce(self._last_sent, _FROM_HOST)
        sealed = AESGCM(self._key).encrypt(nonce, message, None)
        ciphertext, tag = sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:]
        head = (_SEALED_BIT | len(message)).to_bytes(4, "big") + self._last_sent.to_bytes(4, "big")
        return head + tag + ciphertext


def try_open(frame: SealedFrame, key: bytes) -> bytes | None:
    """Open a client's frame with one of several possible keys; None when it does not fit."""
    nonce = _nonce(frame.sequence, _FROM_CLIENT)
    try:
        return AESGCM(key).decrypt(nonce, frame.ciphertext + frame.tag, None)
    except InvalidTag:
        return None


def parse_request(data: bytes) -> RtspRequest:
    """Parse a whole plain request, as found in a sealed frame.

    Raises:
        ProtocolError: malformed or incomplete.
    """
    request = RequestReader().receive(data)
    if not isinstance(request, RtspRequest):
        raise ProtocolError("request is not complete")
    return request


def answer(
    cseq: int, *headers: tuple[str, str], body: bytes = b"", status: int = 200, reason: str = "OK"
) -> RtspResponse:
    """An answer with its number, without which no client accepts it."""
    return RtspResponse(
        status=status, reason=reason, headers=(("CSeq", str(cseq)), *headers), body=body
    )


def refusal(cseq: int | None, error: Exception, status: int = 400) -> RtspResponse:
    """Say no. A `status` among the error's fields wins over the argument.

    The client shows the number only; the words are for people who read a capture.
    """
    named = getattr(error, "fields", {}).get("status")
    if isinstance(named, int) and 400 <= named <= 599:
        status = named
    words = " ".join(re.sub(r"[^ -~]", " ", str(error)).split())[:200].strip()
    return answer(cseq or 0, status=status, reason=words or "Refused")


def write_answer(response: RtspResponse) -> bytes:
    """Turn an answer into bytes the client's parser takes (section 3.2).

    Raises:
        ValueError: the client would stumble over it: no header, an empty value or
            reason, or a character that ends a line.
    """
    for text in (response.reason, *_flat(response.headers)):
        if not text or text != text.strip() or not text.isascii() or not text.isprintable():
            raise ValueError("an RTSP answer may hold only printable, non-empty text")
    if not response.headers:
        raise ValueError("an RTSP answer needs a header")
    if b"\0" in response.body:
        raise ValueError("an RTSP answer may not hold NUL bytes")
    lines = [f"RTSP/1.0 {response.status:03d} {response.reason}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    return "\r\n".join((*lines, "", "")).encode("ascii") + response.body


def _nonce(sequence: int, direction: bytes) -> bytes:
    return sequence.to_bytes(4, "little") + bytes(6) + direction


def _parse_head(head: bytes) -> RtspRequest:
    try:
        request_line, *lines = head.decode("ascii").split("\r\n")
    except UnicodeDecodeError:
        raise ProtocolError("request head is not ASCII") from None
    if len(lines) > MAX_HEADERS:
        raise ProtocolError("too many headers", limit=MAX_HEADERS)
    first = _REQUEST_LINE.fullmatch(request_line)
    if first is None:
        raise ProtocolError("malformed request line")
    headers = []
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise ProtocolError("malformed header")
        headers.append((header[1], header[2]))
    return RtspRequest(method=first[1], target=first[2], headers=tuple(headers))


def _content_length(head: RtspRequest) -> int:
    values = [value for name, value in head.headers if name.lower() == "content-length"]
    if not values:
        return 0
    if len(values) > 1 or not _NUMBER.fullmatch(values[0]):
        raise ProtocolError("Content-length is not one number")
    length = int(values[0])
    if length > MAX_BODY_BYTES:
        raise ProtocolError("request body too long", announced_bytes=length)
    return length


def _flat(headers: Sequence[tuple[str, str]]) -> list[str]:
    return [text for header in headers for text in header]
