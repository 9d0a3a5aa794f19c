"""The little of libpipewire-0.3 that a consumer of pictures needs, by ctypes."""

import ctypes
import functools
from typing import ClassVar

from punktfunk.errors import DriverUnavailable
from punktfunk.model.offers import Availability

NAME = "libpipewire-0.3.so.0"
HINT = "apt install libpipewire-0.3-0 pipewire wireplumber"

_pointer, _number = ctypes.c_void_p, ctypes.c_uint32


class Chunk(ctypes.Structure):
    _fields_: ClassVar = [
        ("offset", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("stride", ctypes.c_int32),
        ("flags", ctypes.c_int32),
    ]


class Data(ctypes.Structure):
    _fields_: ClassVar = [
        ("type", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("fd", ctypes.c_int64),
        ("mapoffset", ctypes.c_uint32),
        ("maxsize", ctypes.c_uint32),
        ("data", ctypes.c_void_p),
        ("chunk", ctypes.POINTER(Chunk)),
    ]


class Meta(ctypes.Structure):
    _fields_: ClassVar = [
        ("type", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("data", ctypes.c_void_p),
    ]


class SpaBuffer(ctypes.Structure):
    _fields_: ClassVar = [
        ("n_metas", ctypes.c_uint32),
        ("n_datas", ctypes.c_uint32),
        ("metas", ctypes.POINTER(Meta)),
        ("datas", ctypes.POINTER(Data)),
    ]


class Buffer(ctypes.Structure):
    _fields_: ClassVar = [("buffer", ctypes.POINTER(SpaBuffer)), ("user_data", ctypes.c_void_p)]


StateChanged = ctypes.CFUNCTYPE(None, _pointer, ctypes.c_int, ctypes.c_int, ctypes.c_char_p)
ParamChanged = ctypes.CFUNCTYPE(None, _pointer, _number, _pointer)
BufferEvent = ctypes.CFUNCTYPE(None, _pointer, _pointer)
PlainEvent = ctypes.CFUNCTYPE(None, _pointer)


class StreamEvents(ctypes.Structure):
    VERSION = 2
    _fields_: ClassVar = [
        ("version", ctypes.c_uint32),
        ("destroy", ctypes.c_void_p),
        ("state_changed", StateChanged),
        ("control_info", ctypes.c_void_p),
        ("io_changed", ctypes.c_void_p),
        ("param_changed", ParamChanged),
        ("add_buffer", BufferEvent),
        ("remove_buffer", BufferEvent),
        ("process", PlainEvent),
        ("drained", ctypes.c_void_p),
        ("command", ctypes.c_void_p),
        ("trigger_done", ctypes.c_void_p),
    ]


class Hook(ctypes.Structure):
    """The library's own place in a list of listeners."""

    _fields_: ClassVar = [("words", ctypes.c_void_p * 6)]


_FUNCTIONS = {
    "pw_init": (None, [_pointer, _pointer]),
    "pw_thread_loop_new": (_pointer, [ctypes.c_char_p, _pointer]),
    "pw_thread_loop_get_loop": (_pointer, [_pointer]),
    "pw_thread_loop_start": (ctypes.c_int, [_pointer]),
    "pw_thread_loop_stop": (None, [_pointer]),
    "pw_thread_loop_lock": (None, [_pointer]),
    "pw_thread_loop_unlock": (None, [_pointer]),
    "pw_thread_loop_destroy": (None, [_pointer]),
    "pw_context_new": (_pointer, [_pointer, _pointer, ctypes.c_size_t]),
    "pw_context_connect_fd": (_pointer, [_pointer, ctypes.c_int, _pointer, ctypes.c_size_t]),
    "pw_context_destroy": (None, [_pointer]),
    "pw_core_disconnect": (ctypes.c_int, [_pointer]),
    "pw_properties_new_string": (_pointer, [ctypes.c_char_p]),
    "pw_stream_new": (_pointer, [_pointer, ctypes.c_char_p, _pointer]),
    "pw_stream_add_listener": (None, [_pointer, _pointer, _pointer, _pointer]),
    "pw_stream_connect": (
        ctypes.c_int,
        [_pointer, ctypes.c_int, _number, ctypes.c_int, _pointer, _number],
    ),
    "pw_stream_update_params": (ctypes.c_int, [_pointer, _pointer, _number]),
    "pw_stream_dequeue_buffer": (_pointer, [_pointer]),
    "pw_stream_queue_buffer": (ctypes.c_int, [_pointer, _pointer]),
    "pw_stream_destroy": (None, [_pointer]),
}


@functools.cache
def load() -> ctypes.CDLL:
    """Open the library, once a process.

    Raises:
        DriverUnavailable: it is not installed.
    """
    try:
        library = ctypes.CDLL(NAME)
    except OSError as error:
        raise DriverUnavailable("PipeWire", f"{NAME} is not installed", hint=HINT) from error
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    library.pw_init(None, None)
    return library


def pipewire_availability() -> Availability:
    """Say whether pictures can be taken from PipeWire here. Starts nothing."""
    try:
        ctypes.CDLL(NAME)
    except OSError:
        return Availability.no(f"{NAME} is not installed", hint=HINT)
    return Availability.yes()
