"""What an encoder promises."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
import pytest

from punktfunk.drivers.encode import EncodeDriver
from punktfunk.model.frames import FOURCC, DmaBufFormat, Frame
from punktfunk.model.video import Codec, EncodedFrame, EncodeParams, PixelFormat, VideoMode
from punktfunk.testing.bitstream import (
    KEY_SLICES,
    PARAMETER_SETS,
    first_picture_unit,
    units_before_picture,
)
from punktfunk.testing.contract import DriverContract, or_skip
from punktfunk.testing.pictures import decode_lumas, gray_frame, moving_texture
from punktfunk.testing.seat import FakeSeat

# Even, but no multiple of 16: padding added by the encoder must be cropped again.
MODE = VideoMode(width_px=424, height_px=238, refresh_mhz=30_000)
_LEVEL_TOLERANCE = 6.0


class EncodeDriverContract(DriverContract):
    """Promises of an encoder. Claim each codec it does, by its name (`h264`, `hevc`, `av1`).

    `invalidate_references` can be claimed too: then the encoder must accept an
    invalidation, and say in the next frame that it obeyed.
    """

    driver_base = EncodeDriver
    possible_capabilities = frozenset({*(codec.value for codec in Codec), "invalidate_references"})
    mode: ClassVar[VideoMode] = MODE

    @pytest.fixture(params=list(Codec), ids=str)
    def codec(self, request: pytest.FixtureRequest) -> Codec:
        """Each codec in turn; those that are not claimed are skipped."""
        codec: Codec = request.param
        self.claims(codec.value)
        return codec

    @pytest.fixture
    def encoder(self, driver: Any, codec: Codec) -> Iterator[Any]:
        """The driver, opened for the codec."""
        try:
            or_skip(lambda: driver.open(self.params(codec)))
            yield driver
        finally:
            driver.close()

    def params(self, codec: Codec, bitrate_kbps: int = 4_000) -> EncodeParams:
        return EncodeParams(codec=codec, mode=self.mode, bitrate_kbps=bitrate_kbps)

    def open_driver(self, driver: Any, seat: FakeSeat) -> None:
        claimed = [codec for codec in Codec if codec.value in self.capabilities]
        if not claimed:
            pytest.skip("no codec is claimed")
        driver.open(self.params(claimed[0]))

    def frame(self, encoder: Any, level: int = 128, **options: Any) -> Frame:
        """A picture in the format the encoder likes best."""
        return gray_frame(self.mode, encoder.formats[0], level, **options)

    def test_it_names_the_formats_it_takes(self, driver: Any) -> None:
        assert driver.formats
        assert all(isinstance(taken, PixelFormat) for taken in driver.formats)

    def test_it_names_the_gpu_memory_it_takes_once_it_is_open(self, encoder: Any) -> None:
        assert all(isinstance(taken, DmaBufFormat) for taken in encoder.dmabufs)
        assert all(taken.format in FOURCC and taken.modifiers for taken in encoder.dmabufs)

    def test_every_frame_in_is_one_frame_out(self, encoder: Any) -> None:
        encoded = [encoder.encode(self.frame(encoder, 100 + i)) for i in range(6)]

        assert all(isinstance(frame, EncodedFrame) and len(frame.data) for frame in encoded)

    def test_timestamps_are_carried_through(self, encoder: Any) -> None:
        stamps = [1_000_000_000 + 33_333_333 * i for i in range(4)]

        encoded = [encoder.encode(self.frame(encoder, captured_ns=stamp)) for stamp in stamps]

        assert [frame.captured_ns for frame in encoded] == stamps

    def test_only_the_first_frame_is_a_keyframe_unless_asked(self, encoder: Any) -> None:
        encoded = [
            encoder.encode(self.frame(encoder, texture=moving_texture(self.mode, i)))
            for i in range(40)
        ]

        assert [i for i, frame in enumerate(encoded) if frame.keyframe] == [0]

    def test_a_scene_cut_is_not_a_keyframe(self, encoder: Any) -> None:
        encoder.encode(self.frame(encoder, 16))

        assert not encoder.encode(self.frame(encoder, 235)).keyframe

    def test_a_keyframe_comes_when_asked(self, encoder: Any) -> None:
        encoded = [encoder.encode(self.frame(encoder, 90 + i), keyframe=i == 3) for i in range(6)]

        assert [frame.keyframe for frame in encoded] == [True, False, False, True, False, False]

    def test_a_keyframe_has_its_parameter_sets_in_front_and_nothing_else(
        self, encoder: Any, codec: Codec
    ) -> None:
        encoded = [encoder.encode(self.frame(encoder), keyframe=i == 2) for i in range(3)]

        for frame in (encoded[0], encoded[2]):
            assert set(units_before_picture(codec, bytes(frame.data))) == PARAMETER_SETS[codec]
            assert first_picture_unit(codec, bytes(frame.data)) in KEY_SLICES[codec]

    def test_a_client_can_start_at_a_keyframe_that_was_asked_for(
        self, encoder: Any, codec: Codec
    ) -> None:
        encoded = [encoder.encode(self.frame(encoder, 60), keyframe=i == 4) for i in range(6)]

        assert len(decode_lumas(codec, encoded[4:])) == 2

    def test_what_comes_out_looks_like_what_went_in(self, encoder: Any, codec: Codec) -> None:
        levels = [40, 80, 120, 160, 200]

        encoded = [encoder.encode(self.frame(encoder, level)) for level in levels]

        pictures = decode_lumas(codec, encoded)
        size = (self.mode.height_px, self.mode.width_px)
        assert [picture.shape for picture in pictures] == [size] * len(levels)
        for level, picture in zip(levels, pictures, strict=True):
            assert abs(float(picture.mean()) - level) < _LEVEL_TOLERANCE

    def test_padding_at_the_end_of_rows_is_not_picture(self, encoder: Any, codec: Codec) -> None:
        encoded = encoder.encode(self.frame(encoder, 50, row_padding_bytes=48))

        (picture,) = decode_lumas(codec, [encoded])
        assert np.abs(picture.astype(int) - 50).max() < 4 * _LEVEL_TOLERANCE

    def test_the_frame_may_be_overwritten_once_encode_has_returned(
        self, encoder: Any, codec: Codec
    ) -> None:
        frame = self.frame(encoder, 70)

        encoded = encoder.encode(frame)
        for plane in frame.planes:
            plane[:] = 235
        following = encoder.encode(self.frame(encoder, 70))

        for picture in decode_lumas(codec, [encoded, following]):
            assert abs(float(picture.mean()) - 70) < _LEVEL_TOLERANCE

    def test_a_lower_bitrate_makes_a_smaller_stream(self, encoder: Any, codec: Codec) -> None:
        before = self._encoded_bytes(encoder, range(30))
        encoder.set_bitrate(500)
        self._encoded_bytes(encoder, range(30, 40))  # time to settle, an IDR perhaps
        after = self._encoded_bytes(encoder, range(40, 70))

        assert after < before * 0.6

    def test_a_change_of_bitrate_does_not_break_the_stream(
        self, encoder: Any, codec: Codec
    ) -> None:
        encoded = []
        for i, bitrate_kbps in enumerate((4_000, 1_000, 8_000, 2_000)):
            encoder.set_bitrate(bitrate_kbps)
            encoded += [encoder.encode(self.frame(encoder, 60 + 10 * i)) for _ in range(3)]

        assert len(decode_lumas(codec, encoded)) == len(encoded)

    def test_invalidation_is_refused_unless_claimed(self, encoder: Any) -> None:
        for _ in range(4):
            encoder.encode(self.frame(encoder))

        accepted = encoder.invalidate_references(2, 3)

        assert accepted is ("invalidate_references" in self.capabilities)
        if accepted:
            following = encoder.encode(self.frame(encoder))
            assert following.after_invalidation
            assert not following.keyframe

    def _encoded_bytes(self, encoder: Any, steps: range) -> int:
        encode: Callable[[int], EncodedFrame] = lambda step: encoder.encode(  # noqa: E731
            self.frame(encoder, texture=moving_texture(self.mode, step))
        )
        return sum(len(encode(step).data) for step in steps)
