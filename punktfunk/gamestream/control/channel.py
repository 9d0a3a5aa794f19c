"""One client's control channel: sealed messages in, meaning out, and the way back.

See docs/protocol/gamestream.md, section 6.
"""

import attrs

from punktfunk.errors import ProtocolError
from punktfunk.gamestream.control.cipher import (
    MAX_SEQUENCE,
    ControlCipher,
    NotAuthentic,
    NotEncrypted,
    Opened,
    Scheme,
    Side,
)
from punktfunk.gamestream.control.messages import (
    ControlMessage,
    HostMessage,
    UnknownMessage,
    decode_message,
    encode_message,
)
from punktfunk.gamestream.window import SeenWindow

MAX_ENVELOPE_BYTES = 1_024
MAX_FAILURES_IN_A_ROW = 32
REPLAY_WINDOW = 4_096


@attrs.define
class ControlCounters:
    """What was dropped, and why. Only ever growing."""

    accepted: int = 0
    unencrypted: int = 0
    unauthentic: int = 0
    replayed: int = 0
    malformed: int = 0
    unknown: int = 0


class ControlChannel:
    """Belongs to one stream and one key. Knows nothing of ENet.

    A bad message never raises: it is dropped and counted, and the stream goes on until
    `broken` says that nothing but bad ones come.
    """

    def __init__(self, key: bytes, scheme: Scheme) -> None:
        self.counters = ControlCounters()
        self._cipher = ControlCipher(key, scheme)
        self._seen = SeenWindow(width=REPLAY_WINDOW, bits=32)
        self._sequence = 0
        self._failures_in_a_row = 0

    @property
    def broken(self) -> bool:
        """True after `MAX_FAILURES_IN_A_ROW` messages without one good tag: disconnect."""
        return self._failures_in_a_row >= MAX_FAILURES_IN_A_ROW

    def receive(self, payload: bytes) -> ControlMessage | None:
        """Open one ENet payload. None: dropped, and a counter says why."""
        opened = self._open(payload)
        if opened is None:
            return None
        # The legacy nonce covers the low byte of the number only, so there a number proves
        # nothing and an honest client's could be made to look replayed.
        if self._cipher.scheme is Scheme.V2:
            if not self._seen.is_new(opened.sequence):
                self.counters.replayed += 1
                return None
            self._seen.add(opened.sequence)
        return self._decode(opened.plaintext)

    def proves_sender(self, payload: bytes) -> bool:
        """Say if a payload is a new message of the client, without taking it in.

        For a datagram from an address we do not know. Changes nothing and counts nothing,
        so that a stranger cannot wear the channel out. Never true in the legacy scheme,
        where an old message cannot be told from a new one.
        """
        if self._cipher.scheme is not Scheme.V2 or len(payload) > MAX_ENVELOPE_BYTES:
            return False
        try:
            opened = self._cipher.open(payload, Side.CLIENT)
        except ProtocolError:
            return False
        return self._seen.is_new(opened.sequence)

    def seal(self, message: HostMessage) -> bytes:
        """Return the ENet payload for a message; send it reliably on channel 0.

        Raises:
            ProtocolError: all numbers under this key are used up.
        """
        if self._sequence > MAX_SEQUENCE:
            raise ProtocolError("control sequence numbers are used up")
        envelope = self._cipher.seal(encode_message(message), self._sequence, Side.HOST)
        self._sequence += 1
        return envelope

    def _open(self, payload: bytes) -> Opened | None:
        try:
            if len(payload) > MAX_ENVELOPE_BYTES:
                raise ProtocolError("control envelope is too long", size=len(payload))
            opened = self._cipher.open(payload, Side.CLIENT)
        except NotEncrypted:
            self.counters.unencrypted += 1
        except NotAuthentic:
            self.counters.unauthentic += 1
        except ProtocolError:
            self.counters.malformed += 1
        else:
            self._failures_in_a_row = 0
            return opened
        self._failures_in_a_row += 1
        return None

    def _decode(self, plaintext: bytes) -> ControlMessage | None:
        try:
            message = decode_message(plaintext)
        except UnknownMessage:
            self.counters.unknown += 1
            return None
        except ProtocolError:
            self.counters.malformed += 1
            return None
        self.counters.accepted += 1
        return message
