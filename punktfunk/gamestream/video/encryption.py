"""AES-GCM for each datagram of a frame; docs/protocol/gamestream.md, section 4.7."""

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from punktfunk.errors import ProtocolError
from punktfunk.gamestream.video.buffers import CipherBuffer, PlainBuffer
from punktfunk.gamestream.video.headers import TAG_BYTES, VIDEO_DOMAIN

KEY_BYTES = 16


class VideoCipher:
    """Encrypts datagrams of one stream. No IV is ever used twice: the counter only grows.

    Raises:
        ProtocolError: the key is not 16 bytes.
    """

    def __init__(self, key: bytes, first_counter: int = 0) -> None:
        if len(key) != KEY_BYTES:
            raise ProtocolError("a stream key has 16 bytes", length=len(key))
        self._gcm = AESGCM(key)
        self.counter = first_counter

    def seal(self, plain: PlainBuffer, sealed: CipherBuffer, count: int, frame_index: int) -> None:
        """Encrypt the first `count` datagrams of `plain` into `sealed`.

        The tag comes before the ciphertext on the wire, but AES-GCM writes it behind: it
        lands where the next datagram's prefix begins, and moves when all are done.
        """
        first, encrypt = self.counter, self._gcm.encrypt_into
        self.counter += count
        counters = range(first, first + count)
        for counter, datagram, place in zip(
            counters, plain.datagrams, sealed.ciphertexts, strict=False
        ):
            encrypt(counter.to_bytes(8, "little") + VIDEO_DOMAIN, datagram, None, place)
        sealed.rows[:count, TAG_BYTES : 2 * TAG_BYTES] = sealed.rows[1 : count + 1, :TAG_BYTES]
        sealed.write_prefixes(count, first, frame_index)
