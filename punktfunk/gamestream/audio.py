"""Opus layouts, and Opus packets on the wire: RTP, parity and encryption.

docs/protocol/gamestream.md, section 5.
"""

import struct
from collections.abc import Sequence

import attrs
import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from punktfunk.errors import DriverFailed
from punktfunk.model.audio import (
    STEREO,
    SURROUND_51,
    SURROUND_71,
    ChannelLayout,
    OpusParams,
    Speaker,
)
from punktfunk.wire.gf256 import PRODUCT

BLOCK_PACKETS = 4
MAX_DATAGRAM_BYTES = 1_400
MAX_OPUS_BYTES = 1_375
"""The longest packet whose parity, encrypted and padded, still fits a datagram."""

PARITY_ROWS = np.array([[0x77, 0x40, 0x38, 0x0E], [0xC7, 0xA7, 0x0D, 0x6C]], dtype=np.uint8)
_PARITY_TABLES = [[PRODUCT[factor].tobytes() for factor in row] for row in PARITY_ROWS]

_RTP = struct.Struct(">BBHII")  # version, type, sequence, timestamp, SSRC
_FEC = struct.Struct(">BBHII")  # shard index, type, base sequence, base timestamp, SSRC
_VERSION = 0x80
_DATA, _PARITY = 97, 127
_AES_BLOCK_BYTES = 16


@attrs.frozen(kw_only=True)
class OpusLayout:
    """How an Opus multistream packet is put together: what encoder and client agree on.

    Attributes:
        streams: Opus streams in a packet. The first `coupled` ones are stereo.
        mapping: For each channel, in our order (FL FR FC LFE BL BR SL SR), the decoded
            channel it is heard from: stereo streams come first, two channels each.
        bitrate_kbps: All streams together.
    """

    layout: ChannelLayout
    high_quality: bool
    streams: int
    coupled: int
    mapping: tuple[int, ...]
    bitrate_kbps: int


# The normal layouts pair left with right, which saves bits; FC and LFE come last, alone. The
# high ones give every channel a stream of its own.
OPUS_LAYOUTS: dict[tuple[int, bool], OpusLayout] = {
    (entry.layout.channels, entry.high_quality): entry
    for entry in (
        OpusLayout(
            layout=STEREO,
            high_quality=False,
            streams=1,
            coupled=1,
            mapping=(0, 1),
            bitrate_kbps=96,
        ),
        OpusLayout(
            layout=STEREO,
            high_quality=True,
            streams=1,
            coupled=1,
            mapping=(0, 1),
            bitrate_kbps=512,
        ),
        OpusLayout(
            layout=SURROUND_51,
            high_quality=False,
            streams=4,
            coupled=2,
            mapping=(0, 1, 4, 5, 2, 3),
            bitrate_kbps=256,
        ),
        OpusLayout(
            layout=SURROUND_51,
            high_quality=True,
            streams=6,
            coupled=0,
            mapping=(0, 1, 2, 3, 4, 5),
            bitrate_kbps=1_536,
        ),
        OpusLayout(
            layout=SURROUND_71,
            high_quality=False,
            streams=5,
            coupled=3,
            mapping=(0, 1, 6, 7, 4, 5, 2, 3),
            bitrate_kbps=450,
        ),
        OpusLayout(
            layout=SURROUND_71,
            high_quality=True,
            streams=8,
            coupled=0,
            mapping=(0, 1, 2, 3, 4, 5, 6, 7),
            bitrate_kbps=2_048,
        ),
    )
}
"""By number of channels and quality; in the order in which DESCRIBE lists them."""


def opus_layout(params: OpusParams) -> OpusLayout:
    """The layout an encoder must produce for these parameters."""
    return OPUS_LAYOUTS[params.layout.channels, params.high_quality]


def opus_bitrate_kbps(params: OpusParams) -> int:
    """The rate to encode at, such that a packet fits a datagram even when it lasts 10 ms."""
    most_that_fits = MAX_OPUS_BYTES * 8 // params.packet_ms
    return min(opus_layout(params).bitrate_kbps, most_that_fits)


def surround_params(entry: OpusLayout) -> str:
    """The layout as DESCRIBE writes it (section 5.3).

    For the normal surround layouts the client takes the last digit and puts it where the
    LFE is, so there we send it with the LFE's digit at the end.
    """
    digits = list(entry.mapping)
    if Speaker.LFE in entry.layout.speakers and not entry.high_quality:
        digits.append(digits.pop(entry.layout.speakers.index(Speaker.LFE)))
    numbers = (entry.layout.channels, entry.streams, entry.coupled, *digits)
    return "".join(str(number) for number in numbers)


class AudioPacketizer:
    """Turns Opus packets into datagrams; one per stream.

    Args:
        packet_ms: Length of a packet, 5 or 10.
        key: AES key of the session when sound is encrypted.
        rikeyid: The number that came with the key, signed or unsigned.
        first_sequence: Number of the first packet, a multiple of 4. Clients expect 0.
        first_timestamp_ms: Timestamp of the first packet.
    """

    def __init__(
        self,
        packet_ms: int,
        key: bytes | None = None,
        rikeyid: int = 0,
        *,
        first_sequence: int = 0,
        first_timestamp_ms: int = 0,
    ) -> None:
        if first_sequence % BLOCK_PACKETS:
            raise ValueError("a stream starts with a whole block")
        self._packet_ms = packet_ms
        self._key = key
        self._rikeyid = rikeyid & 0xFFFF_FFFF
        self._sequence = first_sequence & 0xFFFF
        self._timestamp = first_timestamp_ms & 0xFFFF_FFFF
        self._base_timestamp = self._timestamp
        self._block: list[bytes] = []
        self._opus_bytes: int | None = None

    def packetize(self, opus: bytes) -> list[bytes]:
        """Return the packet's datagram, and after each fourth packet two of parity.

        Raises:
            DriverFailed: the packet is empty, too long, or not as long as the first one,
                which would switch the client's error correction off for good. Nothing is
                sent, no number is used up.
        """
        self._check_length(len(opus))
        if not self._block:
            self._base_timestamp = self._timestamp
        payload = self._encrypt(opus)
        self._block.append(payload)
        head = _RTP.pack(_VERSION, _DATA, self._sequence, self._timestamp, 0)
        datagrams = [head + payload]
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + self._packet_ms) & 0xFFFF_FFFF
        if len(self._block) == BLOCK_PACKETS:
            datagrams += self._parity()
            self._block.clear()
        return datagrams

    def _check_length(self, opus_bytes: int) -> None:
        if not 0 < opus_bytes <= MAX_OPUS_BYTES:
            raise DriverFailed("the audio encoder made a packet of impossible length")
        if self._opus_bytes is None:
            self._opus_bytes = opus_bytes
        if opus_bytes != self._opus_bytes:
            raise DriverFailed(
                "the audio encoder does not keep a constant packet length",
                expected_bytes=self._opus_bytes,
                got_bytes=opus_bytes,
            )

    def _encrypt(self, opus: bytes) -> bytes:
        if self._key is None:
            return opus
        encryptor = _cipher(self._key, self._rikeyid, self._sequence).encryptor()
        padder = PKCS7(_AES_BLOCK_BYTES * 8).padder()
        padded = padder.update(opus) + padder.finalize()
        return encryptor.update(padded) + encryptor.finalize()

    def _parity(self) -> list[bytes]:
        base = (self._sequence - BLOCK_PACKETS) & 0xFFFF
        datagrams = []
        for index, tables in enumerate(_PARITY_TABLES):
            sequence = (self._sequence + index) & 0xFFFF
            rtp = _RTP.pack(_VERSION, _PARITY, sequence, 0, 0)
            fec = _FEC.pack(index, _DATA, base, self._base_timestamp, 0)
            datagrams.append(rtp + fec + _sum_of_products(tables, self._block))
        return datagrams


def _sum_of_products(tables: Sequence[bytes], shards: Sequence[bytes]) -> bytes:
    # A few shards of a hundred bytes: numpy would take longer to begin.
    total = 0
    for table, shard in zip(tables, shards, strict=True):
        total ^= int.from_bytes(shard.translate(table), "little")
    return total.to_bytes(len(shards[0]), "little")


def _cipher(key: bytes, rikeyid: int, sequence: int) -> "Cipher[modes.CBC]":
    start = (rikeyid + sequence) & 0xFFFF_FFFF
    return Cipher(algorithms.AES(key), modes.CBC(start.to_bytes(4, "big") + bytes(12)))
