"""The streaming core inside moonlight-python, bound through ctypes.

moonlight-python's own session class exposes neither keys, pads, rumble nor unencrypted modes, so
the test client drives the shared library that the package carries. Only the public C interface
is used; nothing here is imported by the product.
"""

import ctypes
import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOCAL, REMOTE, AUTO = 0, 1, 2

CODECS = {
    "h264": 0x0001,
    "hevc": 0x0100,
    "hevc10": 0x0200,
    "av1": 0x1000,
    "av110": 0x2000,
}
CODEC_FAMILIES = ((0x000F, "h264"), (0x0F00, "hevc"), (0xF000, "av1"))
ENCRYPTION = {"none": 0, "audio": 1, "video": 2, "all": -1}
CHANNEL_LAYOUTS = {"stereo": (2, 0x3), "51": (6, 0x3F), "71": (8, 0x63F)}
CHANNEL_NAMES = ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR")

DIRECT_SUBMIT = 0x1
REFERENCE_INVALIDATION = 0x2 | 0x4 | 0x40  # one bit for each of H.264, HEVC and AV1
SLOW_AUDIO_DECODER = 0x8
ANY_AUDIO_DURATION = 0x10
PULL_RENDERER = 0x20

TERMINATION_NAMES = {
    0: "graceful",
    -1: "unexpected disconnect",
    -100: "no video traffic",
    -101: "no video frame",
    -102: "unexpected early termination",
    -103: "protected content",
    -104: "frame conversion",
}


class StreamConfiguration(ctypes.Structure):
    _fields_ = (
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("fps", ctypes.c_int),
        ("bitrate", ctypes.c_int),
        ("packet_size", ctypes.c_int),
        ("streaming_remotely", ctypes.c_int),
        ("audio_configuration", ctypes.c_int),
        ("supported_video_formats", ctypes.c_int),
        ("client_refresh_rate_x100", ctypes.c_int),
        ("color_space", ctypes.c_int),
        ("color_range", ctypes.c_int),
        ("encryption_flags", ctypes.c_int),
        ("remote_input_key", ctypes.c_uint8 * 16),
        ("remote_input_iv", ctypes.c_uint8 * 16),
    )


class ServerInformation(ctypes.Structure):
    _fields_ = (
        ("address", ctypes.c_char_p),
        ("app_version", ctypes.c_char_p),
        ("gfe_version", ctypes.c_char_p),
        ("rtsp_session_url", ctypes.c_char_p),
        ("codec_mode_support", ctypes.c_int),
    )


class BufferEntry(ctypes.Structure):
    pass


BufferEntry._fields_ = (
    ("next", ctypes.POINTER(BufferEntry)),
    ("data", ctypes.c_void_p),
    ("length", ctypes.c_int),
    ("buffer_type", ctypes.c_int),
)


class DecodeUnit(ctypes.Structure):
    _fields_ = (
        ("frame_number", ctypes.c_int),
        ("frame_type", ctypes.c_int),
        ("host_latency_tenth_ms", ctypes.c_uint16),
        ("receive_time_us", ctypes.c_uint64),
        ("enqueue_time_us", ctypes.c_uint64),
        ("presentation_time_us", ctypes.c_uint64),
        ("rtp_timestamp", ctypes.c_uint32),
        ("full_length", ctypes.c_int),
        ("buffers", ctypes.POINTER(BufferEntry)),
        ("hdr_active", ctypes.c_bool),
        ("colorspace", ctypes.c_uint8),
    )


class OpusConfiguration(ctypes.Structure):
    _fields_ = (
        ("sample_rate_hz", ctypes.c_int),
        ("channels", ctypes.c_int),
        ("streams", ctypes.c_int),
        ("coupled_streams", ctypes.c_int),
        ("samples_per_frame", ctypes.c_int),
        ("mapping", ctypes.c_uint8 * 8),
    )


class HdrMetadata(ctypes.Structure):
    _fields_ = (("values", ctypes.c_uint16 * 13),)


class RtpStats(ctypes.Structure):
    """Counters of one media stream; the video and the audio one have the same shape."""

    _fields_ = (
        ("data", ctypes.c_uint32),
        ("fec", ctypes.c_uint32),
        ("fec_recovered", ctypes.c_uint32),
        ("fec_failed", ctypes.c_uint32),
        ("out_of_sequence", ctypes.c_uint32),
        ("invalid", ctypes.c_uint32),
        ("fec_invalid", ctypes.c_uint32),
    )


_u8, _u16, _int = ctypes.c_uint8, ctypes.c_uint16, ctypes.c_int
_none = ctypes.CFUNCTYPE(None)
_one_int = ctypes.CFUNCTYPE(None, _int)
_bytes10 = ctypes.POINTER(_u8 * 10)


class VideoCallbacks(ctypes.Structure):
    _fields_ = (
        ("setup", ctypes.CFUNCTYPE(_int, _int, _int, _int, _int, ctypes.c_void_p, _int)),
        ("start", _none),
        ("stop", _none),
        ("cleanup", _none),
        ("submit", ctypes.CFUNCTYPE(_int, ctypes.POINTER(DecodeUnit))),
        ("capabilities", _int),
    )


class AudioCallbacks(ctypes.Structure):
    _fields_ = (
        (
            "init",
            ctypes.CFUNCTYPE(_int, _int, ctypes.POINTER(OpusConfiguration), ctypes.c_void_p, _int),
        ),
        ("start", _none),
        ("stop", _none),
        ("cleanup", _none),
        ("play", ctypes.CFUNCTYPE(None, ctypes.c_void_p, _int)),
        ("capabilities", _int),
    )


# The log callback is variadic. On the System V and AAPCS64 conventions integer arguments arrive
# as if they were declared, so declaring some machine words reads them; unused ones hold rubbish.
_LOG_WORDS = 9


class ConnectionCallbacks(ctypes.Structure):
    _fields_ = (
        ("stage_starting", _one_int),
        ("stage_complete", _one_int),
        ("stage_failed", ctypes.CFUNCTYPE(None, _int, _int)),
        ("connection_started", _none),
        ("connection_terminated", _one_int),
        (
            "log_message",
            ctypes.CFUNCTYPE(None, ctypes.c_char_p, *([ctypes.c_uint64] * _LOG_WORDS)),
        ),
        ("rumble", ctypes.CFUNCTYPE(None, _u16, _u16, _u16)),
        ("connection_status", _one_int),
        ("set_hdr_mode", ctypes.CFUNCTYPE(None, ctypes.c_bool)),
        ("rumble_triggers", ctypes.CFUNCTYPE(None, _u16, _u16, _u16)),
        ("set_motion_state", ctypes.CFUNCTYPE(None, _u16, _u8, _u16)),
        ("set_led", ctypes.CFUNCTYPE(None, _u16, _u8, _u8, _u8)),
        (
            "set_adaptive_triggers",
            ctypes.CFUNCTYPE(None, _u16, _u8, _u8, _u8, _bytes10, _bytes10),
        ),
    )


_f, _i8, _i16, _u32 = ctypes.c_float, ctypes.c_int8, ctypes.c_int16, ctypes.c_uint32

# name: (result, arguments). Everything the client calls, and nothing else.
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "LiInitializeStreamConfiguration": (None, (ctypes.POINTER(StreamConfiguration),)),
    "LiInitializeServerInformation": (None, (ctypes.POINTER(ServerInformation),)),
    "LiInitializeVideoCallbacks": (None, (ctypes.POINTER(VideoCallbacks),)),
    "LiInitializeAudioCallbacks": (None, (ctypes.POINTER(AudioCallbacks),)),
    "LiInitializeConnectionCallbacks": (None, (ctypes.POINTER(ConnectionCallbacks),)),
    "LiStartConnection": (
        _int,
        (
            ctypes.POINTER(ServerInformation),
            ctypes.POINTER(StreamConfiguration),
            ctypes.POINTER(ConnectionCallbacks),
            ctypes.POINTER(VideoCallbacks),
            ctypes.POINTER(AudioCallbacks),
            ctypes.c_void_p,
            _int,
            ctypes.c_void_p,
            _int,
        ),
    ),
    "LiStopConnection": (None, ()),
    "LiInterruptConnection": (None, ()),
    "LiGetStageName": (ctypes.c_char_p, (_int,)),
    "LiGetLaunchUrlQueryParameters": (ctypes.c_char_p, ()),
    "LiWaitForNextVideoFrame": (
        ctypes.c_bool,
        (ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.POINTER(DecodeUnit))),
    ),
    "LiCompleteVideoFrame": (None, (ctypes.c_void_p, _int)),
    "LiWakeWaitForVideoFrame": (None, ()),
    "LiRequestIdrFrame": (None, ()),
    "LiGetEstimatedRttInfo": (ctypes.c_bool, (ctypes.POINTER(_u32), ctypes.POINTER(_u32))),
    "LiGetHostFeatureFlags": (_u32, ()),
    "LiGetHdrMetadata": (ctypes.c_bool, (ctypes.POINTER(HdrMetadata),)),
    "LiGetRTPVideoStats": (ctypes.POINTER(RtpStats), ()),
    "LiGetRTPAudioStats": (ctypes.POINTER(RtpStats), ()),
    "LiSendMouseMoveEvent": (_int, (_i16, _i16)),
    "LiSendMousePositionEvent": (_int, (_i16, _i16, _i16, _i16)),
    "LiSendMouseButtonEvent": (_int, (_i8, _int)),
    "LiSendKeyboardEvent2": (_int, (_i16, _i8, _i8, _i8)),
    "LiSendUtf8TextEvent": (_int, (ctypes.c_char_p, ctypes.c_uint)),
    "LiSendHighResScrollEvent": (_int, (_i16,)),
    "LiSendHighResHScrollEvent": (_int, (_i16,)),
    "LiSendMultiControllerEvent": (
        _int,
        (_i16, _i16, _int, _u8, _u8, _i16, _i16, _i16, _i16),
    ),
    "LiSendControllerArrivalEvent": (_int, (_u8, _u16, _u8, _u32, _u16)),
    "LiSendControllerTouchEvent": (_int, (_u8, _u8, _u32, _f, _f, _f)),
    "LiSendControllerMotionEvent": (_int, (_u8, _u8, _f, _f, _f)),
    "LiSendControllerBatteryEvent": (_int, (_u8, _u8, _u8)),
    "LiSendTouchEvent": (_int, (_u8, _u32, _f, _f, _f, _f, _f, _u16)),
    "LiSendPenEvent": (_int, (_u8, _u8, _u8, _f, _f, _f, _f, _f, _u16, _u8)),
}


def library_path() -> Path:
    """Where the installed package keeps its shared library; raises FileNotFoundError."""
    spec = importlib.util.find_spec("moonlight_python")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("moonlight-python is not installed in this environment")
    path = Path(spec.origin).parent / "libmoonlight-common-c.so"
    if not path.is_file():
        raise FileNotFoundError(f"moonlight-python carries no {path.name}")
    return path


def load_library() -> Any:
    """The library with every prototype set. It is global: one connection in one process."""
    library = ctypes.CDLL(str(library_path()))
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library


def stage_name(library: Any, stage: int) -> str:
    if not 0 <= stage <= 11:
        return f"stage {stage}"
    return library.LiGetStageName(stage).decode("ascii", "replace")


def codec_name(video_format: int) -> str:
    return next((name for mask, name in CODEC_FAMILIES if video_format & mask), "unknown")


def unit_bytes(unit: DecodeUnit) -> bytes:
    """The frame as one block; the library holds it as a list of packet payloads."""
    parts = []
    entry = unit.buffers
    while entry:
        parts.append(ctypes.string_at(entry.contents.data, entry.contents.length))
        entry = entry.contents.next
    return b"".join(parts)


_SPECIFIER = re.compile(r"%[-+ #0]*\d*(?:\.\d+)?(hh|h|ll|l|z)?([diuxXcspfeg%])")


def format_log(template: bytes, words: tuple[int, ...]) -> str:
    """Fill a printf template from raw machine words; floating point shows as `?`."""
    remaining = iter(words)

    def fill(match: re.Match[str]) -> str:
        size, kind = match.group(1), match.group(2)
        if kind == "%":
            return "%"
        if kind in "feg":
            return "?"
        word = next(remaining, None)
        if word is None:
            return "?"
        if kind == "s":
            return (ctypes.cast(word, ctypes.c_char_p).value or b"").decode("utf-8", "replace")
        wide = size in ("l", "ll", "z") or kind == "p"
        if kind in "di":
            return str((ctypes.c_int64 if wide else ctypes.c_int32)(word).value)
        number = word if wide else word & 0xFFFFFFFF
        if kind == "c":
            return chr(number & 0x7F)
        return str(number) if kind == "u" else f"{number:x}"

    return _SPECIFIER.sub(fill, template.decode("utf-8", "replace")).rstrip("\n")


def initialised(kind: type[Any], initialise: Callable[[Any], None]) -> Any:
    """A structure filled with the library's defaults."""
    value = kind()
    initialise(ctypes.byref(value))
    return value
