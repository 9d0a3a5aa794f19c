"""H.264, HEVC and AV1 on the CPU, by the libraries inside PyAV.

x264 is for streaming, SVT-AV1 for small modes, x265 for tests and for clients that take
nothing else. `punktfunk.builtin.software_options` says what each of them needs.
"""

import os
from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import cast

import av
import numpy as np
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from numpy.lib.stride_tricks import as_strided

from punktfunk.builtin.annexb import tidy
from punktfunk.builtin.priority import ordinary_priority
from punktfunk.builtin.software_options import (
    DEFAULT_PRESET,
    LIBRARY,
    color_numbers,
    library_options,
    thread_count,
)
from punktfunk.drivers.encode import EncodeDriver
from punktfunk.errors import DriverFailed, DriverUnavailable
from punktfunk.model.frames import Frame, Plane
from punktfunk.model.video import Codec, EncodedFrame, EncodeParams, PixelFormat

_INFINITE_GOP = 2**31 - 1


class SoftwareEncoder(EncodeDriver):
    """Encodes I420 of even sizes.

    Frames whose planes lie behind each other (those of `punktfunk.pixels` do) are read
    where they are, others are copied first. `EncodedFrame.data` is valid for as long as
    someone holds it.

    Settings: `preset`, one of x264's; `threads`, 0 to choose by the number of cores.
    """

    formats = (PixelFormat.I420,)

    _params: EncodeParams | None = None
    _context: VideoCodecContext | None = None
    _bitrate_kbps = 0
    _ceiling_kbps = 0
    _frames = 0

    def __init__(self, settings: Mapping[str, object] = MappingProxyType({})) -> None:
        super().__init__(settings)
        # A converter writes to the same planes each time, and wrapping them costs more than
        # all else around the library. Keeping them keeps their identity.
        self._wrapped: tuple[tuple[Plane, ...], VideoFrame] | None = None

    def open(self, params: EncodeParams) -> None:
        self.close()
        if params.mode.width_px % 2 or params.mode.height_px % 2:
            raise DriverUnavailable("software", f"{params.mode} has an odd size")
        self._bitrate_kbps = params.bitrate_kbps
        try:
            self._context = self._open_context(params)
        except (FFmpegError, ValueError) as error:
            library = LIBRARY[params.codec]
            raise DriverUnavailable(
                "software", f"{library} refused {params.mode}: {error}"
            ) from error
        self._params = params

    def encode(self, frame: Frame, *, keyframe: bool = False) -> EncodedFrame:
        if self._params is None:
            raise DriverFailed("the software encoder is not open")
        codec = self._params.codec
        try:
            picture = self._picture_of(frame, self._params)
            # A key frame asked of a running SVT-AV1 takes a third of a second's bits; the
            # first one of a new encoder is small, and opening one takes 3 ms.
            if self._context is None or (keyframe and codec is Codec.AV1 and self._frames):
                self._drop_context()
                self._context = self._open_context(self._params)
            picture.pts = self._frames
            picture.pict_type = PictureType.I if keyframe else PictureType.NONE
            packets = self._context.encode(picture)
            if codec is Codec.HEVC:
                _free_x87()
            if len(packets) != 1:
                raise ValueError(f"{LIBRARY[codec]} gave {len(packets)} packets for one frame")
            self._frames += 1
            data: bytes | memoryview = memoryview(packets[0])
            is_key = packets[0].is_keyframe
            if codec is not Codec.AV1:
                data, is_key = tidy(memoryview(packets[0]), codec)
        except (FFmpegError, ValueError) as error:
            raise DriverFailed(f"the software encoder cannot go on: {error}") from error
        return EncodedFrame(data=data, keyframe=is_key, captured_ns=frame.captured_ns)

    def set_bitrate(self, bitrate_kbps: int) -> None:
        """Live for H.264 up to the rate it was opened with, else by a new encoder."""
        if bitrate_kbps == self._bitrate_kbps:
            return
        self._bitrate_kbps = bitrate_kbps
        live = self._params is not None and self._params.codec is Codec.H264
        if live and self._context is not None and bitrate_kbps <= self._ceiling_kbps:
            self._context.bit_rate = bitrate_kbps * 1_000
        else:
            self._drop_context()

    def close(self) -> None:
        self._drop_context()
        self._params = None

    def _open_context(self, params: EncodeParams) -> VideoCodecContext:
        # SVT-AV1 writes a page about itself to stderr unless its environment says: errors.
        os.environ.setdefault("SVT_LOG", "1")
        context = cast(VideoCodecContext, av.CodecContext.create(LIBRARY[params.codec], "w"))
        context.width, context.height = params.mode.width_px, params.mode.height_px
        context.pix_fmt = "yuv420p"
        context.framerate = Fraction(params.mode.refresh_mhz, 1_000)
        context.time_base = 1 / context.framerate
        context.bit_rate = self._bitrate_kbps * 1_000
        context.gop_size = _INFINITE_GOP
        context.max_b_frames = 0
        for name, number in color_numbers(params.color).items():
            setattr(context, name, number)
        wanted = cast(int, self.settings.get("threads", 0))
        threads = thread_count(params.codec, wanted, len(os.sched_getaffinity(0)))
        context.thread_count = threads
        preset = str(self.settings.get("preset", DEFAULT_PRESET))
        context.options = library_options(params, self._bitrate_kbps, preset, threads)
        with ordinary_priority():
            context.open()
        self._ceiling_kbps = self._bitrate_kbps
        self._frames = 0
        return context

    def _picture_of(self, frame: Frame, params: EncodeParams) -> VideoFrame:
        """The frame as PyAV's, without a copy where its memory allows.

        Raises:
            ValueError: it is not what the encoder was opened for. (FFmpeg would convert and
                scale it without a word.)
        """
        if (
            self._wrapped is not None
            and self._wrapped[0] is frame.planes
            and params.codec is Codec.H264
        ):
            return self._wrapped[1]
        size = (params.mode.width_px, params.mode.height_px)
        if frame.format is not PixelFormat.I420 or (frame.width_px, frame.height_px) != size:
            raise ValueError(
                f"a frame of {frame.width_px}x{frame.height_px} {frame.format} came, "
                f"{size[0]}x{size[1]} i420 was agreed"
            )
        block = _one_block(frame)
        if block is None:
            copy = np.concatenate([plane.ravel() for plane in frame.planes])
            return _wrap(copy.reshape(-1, size[0]))
        picture = _wrap(block)
        self._wrapped = (frame.planes, picture)
        return picture

    def _drop_context(self) -> None:
        self._wrapped = None
        context, self._context = self._context, None
        if context is not None and context.is_open:
            context.encode(None)  # SVT-AV1 complains when it is not told of the end


def _free_x87() -> None:
    """x265 under FFmpeg 9 leaves this thread's x87 registers taken (MMX without EMMS).

    The next `long double` in this thread would be NaN, in `numpy.fft` for one. This is it.
    """
    with np.errstate(all="ignore"):
        np.longdouble(1) / np.longdouble(3)


def _wrap(block: Plane) -> VideoFrame:
    return VideoFrame.from_numpy_buffer(block, format="yuv420p", width=block.shape[1])


def _one_block(frame: Frame) -> Plane | None:
    """All planes as one array, if they lie behind each other in memory."""
    luma, u, v = frame.planes
    stride = luma.strides[0]
    rows = luma.shape[0]
    at = luma.ctypes.data
    u_at = at + stride * rows
    v_at = u_at + stride // 2 * (rows // 2)
    if (
        stride > 0
        and stride % 2 == 0
        and (u.strides[0], v.strides[0]) == (stride // 2, stride // 2)
        and (u.ctypes.data, v.ctypes.data) == (u_at, v_at)
    ):
        return as_strided(luma, shape=(rows * 3 // 2, luma.shape[1]), strides=(stride, 1))
    return None
