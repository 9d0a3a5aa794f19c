"""H.264 by x264, through PyAV. It lives in the session's own process, in one thread."""

from collections.abc import Mapping
from fractions import Fraction

import av
import numpy as np
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from punktfunk.plugin import (
    Codec,
    DriverFailed,
    DriverUnavailable,
    EncodedFrame,
    EncodeDriver,
    EncodeParams,
    Frame,
    PixelFormat,
    VideoMode,
)

_START_CODE = b"\0\0\1"
_REMARKS = frozenset({6, 9})  # NAL units of the types SEI and access unit delimiter
_TRIAL = EncodeParams(
    codec=Codec.H264,
    mode=VideoMode(width_px=64, height_px=64, refresh_mhz=60_000),
    bitrate_kbps=500,
)


class ExampleEncoder(EncodeDriver):
    """A change of bitrate opens a new encoder, which costs one key frame."""

    formats = (PixelFormat.I420,)

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._params: EncodeParams | None = None
        self._bitrate_kbps = 0
        self._context: VideoCodecContext | None = None

    def open(self, params: EncodeParams) -> None:
        self.close()
        if params.codec is not Codec.H264:
            raise DriverUnavailable("example", f"it encodes h264, not {params.codec}")
        self._params, self._bitrate_kbps = params, params.bitrate_kbps
        try:
            self._start(params)
        except FFmpegError as error:
            raise DriverUnavailable("example", f"x264 refused {params.mode}: {error}") from error

    def encode(self, frame: Frame, *, keyframe: bool = False) -> EncodedFrame:
        if self._params is None:
            raise DriverFailed("the example encoder is not open")
        try:
            if self._context is None:
                self._start(self._params)
            data, is_key = self._encode(frame, keyframe)
        except (FFmpegError, ValueError) as error:
            raise DriverFailed(f"x264 cannot go on: {error}") from error
        return EncodedFrame(data=data, keyframe=is_key, captured_ns=frame.captured_ns)

    def set_bitrate(self, bitrate_kbps: int) -> None:
        if bitrate_kbps != self._bitrate_kbps:
            self._bitrate_kbps = bitrate_kbps
            self._context = None  # the next frame starts a new one

    def close(self) -> None:
        self._params = self._context = None

    def _start(self, params: EncodeParams) -> None:
        context = av.CodecContext.create("libx264", "w")
        assert isinstance(context, VideoCodecContext)
        context.width, context.height = params.mode.width_px, params.mode.height_px
        context.pix_fmt = "yuv420p"
        context.framerate = Fraction(params.mode.refresh_mhz, 1_000)
        context.time_base = 1 / context.framerate
        context.bit_rate = self._bitrate_kbps * 1_000
        context.max_b_frames = 0
        context.gop_size = 2**31 - 1
        a_frame_kbit = self._bitrate_kbps * 1_000 // params.mode.refresh_mhz
        context.options = {
            "preset": str(self.settings.get("preset", "veryfast")),
            "tune": "zerolatency",
            "forced-idr": "1",
            "x264-params": f"scenecut=0:vbv-maxrate={self._bitrate_kbps}:"
            f"vbv-bufsize={max(a_frame_kbit, 1) * 2}",
        }
        context.open()
        self._context = context

    def _encode(self, frame: Frame, keyframe: bool) -> tuple[bytes, bool]:
        assert self._context is not None
        # Borrowed memory, perhaps with padded rows: one copy gives x264 what it likes.
        rows = [plane.ravel() for plane in frame.planes]
        block = np.concatenate(rows).reshape(-1, frame.width_px)
        picture = VideoFrame.from_ndarray(block, format="yuv420p")
        picture.pict_type = PictureType.I if keyframe else PictureType.NONE
        packets = self._context.encode(picture)
        if len(packets) != 1:
            raise ValueError(f"{len(packets)} packets came out for one frame")
        return _without_remarks(bytes(packets[0])), packets[0].is_keyframe


def _without_remarks(annex_b: bytes) -> bytes:
    """Clients expect nothing but SPS and PPS in front of a key frame: x264 signs its work."""
    units = annex_b.split(_START_CODE)[1:]
    return b"".join(_START_CODE + unit for unit in units if unit and unit[0] & 0x1F not in _REMARKS)


def try_out() -> str:
    """Encode one small picture. Says what went wrong; empty when all is well."""
    encoder = ExampleEncoder()
    gray = tuple(np.full((side, side), 128, np.uint8) for side in (64, 32, 32))
    frame = Frame(format=PixelFormat.I420, width_px=64, height_px=64, planes=gray, captured_ns=0)
    try:
        encoder.open(_TRIAL)
        return "" if encoder.encode(frame).keyframe else "the first frame is no key frame"
    except (DriverUnavailable, DriverFailed) as error:
        return str(error)
    finally:
        encoder.close()
