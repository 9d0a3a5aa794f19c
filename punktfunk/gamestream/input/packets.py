"""Input packets, as they lie inside control messages of type 0x0206.

One table says every packet's size, so nothing is read before its length was checked. Byte
orders are mixed: see docs/protocol/gamestream.md, section 6.5.
"""

from collections.abc import Callable
from functools import partial

import attrs

from punktfunk.errors import ProtocolError
from punktfunk.gamestream.input import hands, pads
from punktfunk.model.input import MAX_TEXT_CHARS, InputEvent
from punktfunk.wire.reader import Reader

MAX_TEXT_BYTES = 4 * MAX_TEXT_CHARS


def decode_input(packet: bytes) -> InputEvent:
    """Turn one packet into what happened.

    Raises:
        ProtocolError: unknown, longer or shorter than its kind or its own size field says,
            or with a value that means nothing. Drop it and go on.
    """
    reader = Reader(packet)
    announced = reader.u32_be()
    if announced != reader.left:
        raise ProtocolError("input packet lies about its size", announced=announced)
    magic = reader.u32_le()
    shape = _PACKETS.get(magic)
    if shape is None:
        raise ProtocolError("unknown input packet", magic=magic)
    if not shape.min_bytes <= reader.left <= shape.max_bytes:
        raise ProtocolError("input packet has the wrong size", magic=magic, size=reader.left)
    return shape.decode(reader)


@attrs.frozen
class _Shape:
    """How many bytes follow the header, and who reads them."""

    min_bytes: int
    max_bytes: int
    decode: Callable[[Reader], InputEvent]


def _sized(size: int, decode: Callable[[Reader], InputEvent]) -> _Shape:
    return _Shape(size, size, decode)


_PACKETS = {
    0x03: _sized(6, partial(hands.key, pressed=True)),
    0x04: _sized(6, partial(hands.key, pressed=False)),
    0x05: _sized(10, hands.position),
    0x07: _sized(4, hands.motion),
    0x08: _sized(1, partial(hands.button, pressed=True)),
    0x09: _sized(1, partial(hands.button, pressed=False)),
    0x0A: _sized(6, hands.scroll),
    0x0C: _sized(26, pads.state),
    0x0D: _sized(2, pads.haptics),
    0x17: _Shape(1, MAX_TEXT_BYTES, hands.text),
    0x5500_0001: _sized(2, hands.horizontal_scroll),
    0x5500_0002: _sized(28, hands.touch),
    0x5500_0003: _sized(28, hands.pen),
    0x5500_0004: _sized(8, pads.arrival),
    0x5500_0005: _sized(20, pads.touch),
    0x5500_0006: _sized(16, pads.motion),
    0x5500_0007: _sized(4, pads.battery),
}
