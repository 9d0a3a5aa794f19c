"""The calls of libpulse's asynchronous API that a recorder needs, with their types."""

import ctypes
from typing import Any, ClassVar

from punktfunk.plugin import DriverUnavailable

FLOAT32LE = 5
CONTEXT_NOAUTOSPAWN = 1
CONTEXT_READY, CONTEXT_FAILED = 4, 5  # above: failed or terminated
STREAM_READY, STREAM_FAILED = 2, 3
STREAM_DONT_MOVE = 0x0200
STREAM_ADJUST_LATENCY = 0x2000


class SampleSpec(ctypes.Structure):
    _fields_: ClassVar = [
        ("format", ctypes.c_int),
        ("rate", ctypes.c_uint32),
        ("channels", ctypes.c_uint8),
    ]


class ChannelMap(ctypes.Structure):
    _fields_: ClassVar = [("channels", ctypes.c_uint8), ("map", ctypes.c_int * 32)]


class BufferAttributes(ctypes.Structure):
    """In bytes; all ones is "as you like"."""

    _fields_: ClassVar = [
        (name, ctypes.c_uint32) for name in ("maxlength", "tlength", "prebuf", "minreq", "fragsize")
    ]


_POINTER, _TEXT, _INT, _SIZE = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_size_t

_FUNCTIONS: tuple[tuple[str, Any, list[Any]], ...] = (
    ("pa_mainloop_new", _POINTER, []),
    ("pa_mainloop_get_api", _POINTER, [_POINTER]),
    ("pa_mainloop_prepare", _INT, [_POINTER, _INT]),
    ("pa_mainloop_poll", _INT, [_POINTER]),
    ("pa_mainloop_dispatch", _INT, [_POINTER]),
    ("pa_mainloop_free", None, [_POINTER]),
    ("pa_context_new", _POINTER, [_POINTER, _TEXT]),
    ("pa_context_connect", _INT, [_POINTER, _TEXT, _INT, _POINTER]),
    ("pa_context_get_state", _INT, [_POINTER]),
    ("pa_context_errno", _INT, [_POINTER]),
    ("pa_context_disconnect", None, [_POINTER]),
    ("pa_context_unref", None, [_POINTER]),
    ("pa_strerror", _TEXT, [_INT]),
    ("pa_channel_map_parse", _POINTER, [_POINTER, _TEXT]),
    ("pa_stream_new", _POINTER, [_POINTER, _TEXT, _POINTER, _POINTER]),
    ("pa_stream_connect_record", _INT, [_POINTER, _TEXT, _POINTER, _INT]),
    ("pa_stream_get_state", _INT, [_POINTER]),
    ("pa_stream_readable_size", _SIZE, [_POINTER]),
    ("pa_stream_peek", _INT, [_POINTER, ctypes.POINTER(_POINTER), ctypes.POINTER(_SIZE)]),
    ("pa_stream_drop", _INT, [_POINTER]),
    ("pa_stream_disconnect", _INT, [_POINTER]),
    ("pa_stream_unref", None, [_POINTER]),
)


def load() -> ctypes.CDLL:
    """Load libpulse, which stays loaded.

    Raises:
        DriverUnavailable: it is not installed.
    """
    try:
        library = ctypes.CDLL("libpulse.so.0")
    except OSError as error:
        raise DriverUnavailable(
            "pulse", "libpulse is not installed", hint="apt install libpulse0"
        ) from error
    for name, result, arguments in _FUNCTIONS:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
