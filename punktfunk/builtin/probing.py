"""Trying the built-in encoders out. Runs in the probe child: it loads PyAV and numpy."""

from collections.abc import Mapping
from typing import cast

import av
import numpy as np
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext

from punktfunk.builtin.opus_encoder import OpusEncoder
from punktfunk.builtin.software_encoder import SoftwareEncoder
from punktfunk.errors import PunktfunkError
from punktfunk.model.audio import LAYOUTS, OpusParams
from punktfunk.model.frames import Frame
from punktfunk.model.video import Codec, EncodedFrame, EncodeParams, PixelFormat, VideoMode

_MODE = VideoMode(width_px=640, height_px=480, refresh_mhz=60_000)
_GRAY = 128
_TOLERANCE = 8
_DECODERS = {Codec.H264: "h264", Codec.HEVC: "hevc", Codec.AV1: "libdav1d"}


def working_codecs(settings: Mapping[str, object]) -> tuple[frozenset[Codec], list[str]]:
    """Encode a gray frame with each codec and decode it again.

    Returns:
        The codecs that gave back what went in, and a sentence for each that did not.
    """
    problems = {codec: _codec_problem(codec, settings) for codec in Codec}
    working = frozenset(codec for codec, problem in problems.items() if not problem)
    return working, [f"{codec}: {problem}" for codec, problem in problems.items() if problem]


def opus_problem() -> str:
    """Why Opus does not work here in every layout; empty when it does."""
    encoder = OpusEncoder()
    try:
        for layout in LAYOUTS.values():
            params = OpusParams(layout=layout)
            encoder.open(params)
            silence = np.zeros((params.frames_per_packet, layout.channels), dtype=np.float32)
            if not encoder.encode(silence):
                return f"no packet for {layout.channels} channels"
    except PunktfunkError as error:
        return str(error)
    finally:
        encoder.close()
    return ""


def _codec_problem(codec: Codec, settings: Mapping[str, object]) -> str:
    encoder = SoftwareEncoder(settings)
    try:
        encoder.open(EncodeParams(codec=codec, mode=_MODE, bitrate_kbps=2_000))
        encoded = encoder.encode(_gray_frame())
        level = _decoded_level(codec, encoded)
    except (PunktfunkError, FFmpegError, ValueError, OSError) as error:
        return str(error)
    finally:
        encoder.close()
    if not encoded.keyframe:
        return "its first frame is no key frame"
    if level is None or abs(level - _GRAY) > _TOLERANCE:
        return "what it encodes cannot be decoded"
    return ""


def _gray_frame() -> Frame:
    sizes = [(480, 640), (240, 320), (240, 320)]
    return Frame(
        format=PixelFormat.I420,
        width_px=_MODE.width_px,
        height_px=_MODE.height_px,
        planes=tuple(np.full(size, _GRAY, dtype=np.uint8) for size in sizes),
        captured_ns=0,
    )


def _decoded_level(codec: Codec, encoded: EncodedFrame) -> float | None:
    """Mean luma of the decoded frame."""
    decoder = cast(VideoCodecContext, av.CodecContext.create(_DECODERS[codec], "r"))
    decoder.thread_count = 1
    packet = av.Packet(bytes(encoded.data))
    for picture in (*decoder.decode(packet), *decoder.decode(None)):
        return float(picture.to_ndarray(format="gray").mean())
    return None
