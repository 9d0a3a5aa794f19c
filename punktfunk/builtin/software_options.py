"""What x264, x265 and SVT-AV1 must be told to be a streaming encoder.

The common part: no B frames, no look-ahead, no key frame of their own accord, one
reference, a rate control that keeps packets near the size of a frame's share.
"""

from collections.abc import Mapping

from punktfunk.model.video import Codec, ColorSpace, ColorSpec, EncodeParams

LIBRARY: Mapping[Codec, str] = {
    Codec.H264: "libx264",
    Codec.HEVC: "libx265",
    Codec.AV1: "libsvtav1",
}
DEFAULT_PRESET = "ultrafast"

# Numbers of ITU-T H.273: primaries, transfer characteristics, matrix.
_H273 = {
    ColorSpace.REC601: (6, 6, 6),
    ColorSpace.REC709: (1, 1, 1),
    ColorSpace.REC2020: (9, 14, 9),
}
_LIMITED, _FULL = 1, 2  # FFmpeg's AVColorRange


def color_numbers(color: ColorSpec) -> dict[str, int]:
    """The codec context's colour attributes."""
    primaries, transfer, matrix = _H273[color.space]
    return {
        "color_primaries": primaries,
        "color_trc": transfer,
        "colorspace": matrix,
        "color_range": _FULL if color.full_range else _LIMITED,
    }


def library_options(
    params: EncodeParams, bitrate_kbps: int, preset: str, threads: int
) -> dict[str, str]:
    """FFmpeg's options for the library of this codec.

    Args:
        preset: One of x264's; the other libraries always run their fastest useful one.
        threads: Already chosen, at least 1.
    """
    bits = bitrate_kbps * 1_000
    match params.codec:
        case Codec.H264:
            return {
                "preset": preset,
                "tune": "zerolatency",
                # A buffer too small to be true is raised to one frame, again after every
                # change of rate; a true one would stay what it was and starve low rates.
                "maxrate": str(bits),
                "bufsize": "1000",
                "x264-params": _joined(
                    annexb=1,
                    keyint="infinite",
                    ref=1,
                    repeat_headers=1,
                    scenecut=0,
                    sliced_threads=int(threads > 1),
                    slices=max(threads, params.slices_per_frame),
                ),
            }
        case Codec.HEVC:
            return {
                "preset": "ultrafast",
                "tune": "zerolatency",
                "forced-idr": "1",
                "maxrate": str(bits),
                "bufsize": str(bits * 1_000 // params.mode.refresh_mhz),
                # Slices are left alone: without a thread pool they crash the library, and
                # with one they bring nothing. An open GOP would answer with CRA pictures,
                # an information SEI would push the slice out of the first packet.
                "x265-params": _joined(
                    frame_threads=1,
                    info=0,
                    keyint=-1,
                    log_level="none",
                    open_gop=0,
                    pools=threads if threads > 1 else "none",
                    ref=1,
                    repeat_headers=1,
                    scenecut=0,
                ),
            }
        case Codec.AV1:
            return {
                # With 12 and 13, SVT-AV1 4.1 stops for ever at the seventh frame of one in a
                # hundred encoders when the machine is busy; 4.2 does not.
                "preset": "11",
                # rc 2 is a constant rate, pred-struct 1 forbids reordering. The buffer is
                # in milliseconds: from 200 on, a key frame is as large as 15 others; with
                # 100, SVT-AV1 4.2 does not get round to some part of one frame in a hundred.
                "svtav1-params": _joined(
                    buf_initial_sz=70,
                    buf_optimal_sz=85,
                    buf_sz=120,
                    keyint=-1,
                    lookahead=0,
                    lp=threads,
                    pred_struct=1,
                    rc=2,
                    rtc=1,
                ),
            }


def thread_count(codec: Codec, wanted: int, cores: int) -> int:
    """How many threads to use when the person wants `wanted` of them (0: you choose)."""
    if wanted > 0:
        return wanted
    if codec is Codec.H264:
        return max(1, min(4, cores // 2))  # threads help only where cores are idle
    return max(1, min(8, cores))


def _joined(**parameters: object) -> str:
    return ":".join(f"{name.replace('_', '-')}={value}" for name, value in parameters.items())
