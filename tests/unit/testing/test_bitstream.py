from punktfunk.model.video import Codec
from punktfunk.testing.bitstream import first_picture_unit, units_before_picture


def nal(*headers: int) -> bytes:
    return b"".join(b"\0\0\0\1" + bytes([header, 0x80, 0x80]) for header in headers)


def test_h264_parameter_sets_come_before_the_idr() -> None:
    data = nal(0x67, 0x68, 0x65, 0x65)

    assert units_before_picture(Codec.H264, data) == [7, 8]
    assert first_picture_unit(Codec.H264, data) == 5


def test_an_extra_unit_is_seen() -> None:
    assert units_before_picture(Codec.H264, nal(0x09, 0x67, 0x06, 0x68, 0x65)) == [9, 7, 6, 8]


def test_hevc_types_have_six_bits() -> None:
    data = nal(32 << 1, 33 << 1, 34 << 1, 19 << 1)

    assert units_before_picture(Codec.HEVC, data) == [32, 33, 34]
    assert first_picture_unit(Codec.HEVC, data) == 19


def test_av1_units_are_walked_by_their_sizes_without_the_delimiter() -> None:
    delimiter, sequence, frame = b"\x12\x00", b"\x0a\x02ab", b"\x32\x80\x01" + bytes(128)

    assert units_before_picture(Codec.AV1, delimiter + sequence + frame) == [1]
    assert first_picture_unit(Codec.AV1, delimiter + sequence + frame) == 6


def test_data_without_a_picture_has_none() -> None:
    for codec in Codec:
        assert first_picture_unit(codec, b"") is None
