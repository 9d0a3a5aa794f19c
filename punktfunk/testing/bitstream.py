"""What the units of a bitstream are, as far as the encode contract must know."""

from punktfunk.model.video import Codec

# H.264 NAL unit types: SPS, PPS, then the IDR slice. HEVC: VPS, SPS, PPS, then the IDR
# slices. AV1 OBU types: temporal delimiter, sequence header, then frame header or frame.
PARAMETER_SETS = {Codec.H264: {7, 8}, Codec.HEVC: {32, 33, 34}, Codec.AV1: {1}}
KEY_SLICES = {Codec.H264: {5}, Codec.HEVC: {19, 20}, Codec.AV1: {3, 6}}
_AV1_TEMPORAL_DELIMITER = 2


def units_before_picture(codec: Codec, data: bytes) -> list[int]:
    """List the unit types in front of the first slice or frame."""
    return _split(codec, data)[0]


def first_picture_unit(codec: Codec, data: bytes) -> int | None:
    """Give the unit type of the first slice or frame; None when there is none."""
    return _split(codec, data)[1]


def _split(codec: Codec, data: bytes) -> tuple[list[int], int | None]:
    before: list[int] = []
    for unit in _obu_types(data) if codec is Codec.AV1 else _nal_types(codec, data):
        if _is_picture(codec, unit):
            return before, unit
        if codec is not Codec.AV1 or unit != _AV1_TEMPORAL_DELIMITER:
            before.append(unit)
    return before, None


def _is_picture(codec: Codec, unit: int) -> bool:
    if codec is Codec.H264:
        return 1 <= unit <= 5
    if codec is Codec.HEVC:
        return unit < 32
    return unit in (3, 6)


def _nal_types(codec: Codec, data: bytes) -> list[int]:
    types = []
    start = data.find(b"\x00\x00\x01")
    while start != -1 and start + 3 < len(data):
        header = data[start + 3]
        types.append(header & 0x1F if codec is Codec.H264 else (header >> 1) & 0x3F)
        start = data.find(b"\x00\x00\x01", start + 3)
    return types


def _obu_types(data: bytes) -> list[int]:
    types = []
    at = 0
    while at < len(data):
        header = data[at]
        types.append((header >> 3) & 0xF)
        if not header & 0x2:  # without a size it is the last one
            break
        at += 2 if header & 0x4 else 1
        size, shift = 0, 0
        while at < len(data):
            byte = data[at]
            size |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if not byte & 0x80:
                break
        at += size
    return types
