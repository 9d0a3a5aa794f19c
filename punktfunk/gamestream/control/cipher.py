"""The encrypted envelope around every control message, in both schemes.

See docs/protocol/gamestream.md, section 6.2.
"""

import struct
from enum import Enum

import attrs
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from punktfunk.errors import ProtocolError

KEY_BYTES = 16
TAG_BYTES = 16
MAX_SEQUENCE = 0xFFFF_FFFF

_ENVELOPE = struct.Struct("<HHI")  # type, bytes after this field, sequence number
_ENCRYPTED = 0x0001
_SEQUENCE_BYTES = 4


class Scheme(Enum):
    """How the nonce is made. What the client negotiates; v2 is preferred."""

    V2 = "v2"
    LEGACY = "legacy"


class Side(Enum):
    """Who wrote a message: the last two bytes of a v2 nonce."""

    CLIENT = b"CC"
    HOST = b"HC"


class NotAuthentic(ProtocolError):
    """The tag does not fit: not written by who has the key, or changed on the way."""


class NotEncrypted(ProtocolError):
    """A message outside the encrypted envelope."""


@attrs.frozen
class Opened:
    sequence: int
    plaintext: bytes = attrs.field(repr=False)


class ControlCipher:
    """Seals and opens envelopes. Keeps no counters: see `ControlChannel`.

    The legacy scheme has one nonce space of 256 values for both sides. That is broken by
    design and cannot be helped; v2 is why it still exists only for old clients.
    """

    def __init__(self, key: bytes, scheme: Scheme) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError("a control key has 16 bytes")
        self._gcm = AESGCM(key)
        self._scheme = scheme

    @property
    def scheme(self) -> Scheme:
        return self._scheme

    def seal(self, plaintext: bytes, sequence: int, sender: Side) -> bytes:
        """Return the envelope. One `sequence` may be used once by a side."""
        sealed = self._gcm.encrypt(self._nonce(sequence, sender), plaintext, None)
        ciphertext, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
        length = _SEQUENCE_BYTES + len(sealed)
        return _ENVELOPE.pack(_ENCRYPTED, length, sequence) + tag + ciphertext

    def open(self, envelope: bytes, sender: Side) -> Opened:
        """Return what an envelope holds, once its tag was checked.

        Raises:
            NotEncrypted: it is some other message.
            NotAuthentic: the tag does not fit.
            ProtocolError: shorter or longer than it says.
        """
        if len(envelope) >= 2 and int.from_bytes(envelope[:2], "little") != _ENCRYPTED:
            raise NotEncrypted("control message is not encrypted")
        if len(envelope) < _ENVELOPE.size + TAG_BYTES:
            raise ProtocolError("control envelope is too short", size=len(envelope))
        _, length, sequence = _ENVELOPE.unpack_from(envelope)
        if length != len(envelope) - _ENVELOPE.size + _SEQUENCE_BYTES:
            raise ProtocolError("control envelope lies about its length", announced=length)
        tag_end = _ENVELOPE.size + TAG_BYTES
        tag, ciphertext = envelope[_ENVELOPE.size : tag_end], envelope[tag_end:]
        try:
            plaintext = self._gcm.decrypt(self._nonce(sequence, sender), ciphertext + tag, None)
        except InvalidTag:
            raise NotAuthentic("control message has a wrong tag") from None
        return Opened(sequence, plaintext)

    def _nonce(self, sequence: int, sender: Side) -> bytes:
        if self._scheme is Scheme.LEGACY:
            return bytes([sequence & 0xFF]) + bytes(15)
        return sequence.to_bytes(4, "little") + bytes(6) + sender.value
