"""A stream of libpipewire's: its life, its lock, and its callbacks made safe."""

import contextlib
import ctypes
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import numpy as np

from punktfunk.errors import DriverFailed, DriverUnavailable, PunktfunkError
from punktfunk.pipewire import library, pods

ERROR, UNCONNECTED = -1, 0

_INPUT = 0
_ANY_NODE = 0xFFFF_FFFF
_AUTOCONNECT, _DONT_RECONNECT = 1, 1 << 7


@attrs.frozen(kw_only=True)
class Listener:
    """Called by the library's thread, under its lock. What they raise goes to `fail`."""

    state: Callable[[int, int, str], None]
    param: Callable[[int, bytes], None]
    add_buffer: Callable[[int], None]
    remove_buffer: Callable[[int], None]
    process: Callable[[], None]
    fail: Callable[[str], None]


class Stream:
    """Silent until `connect`; calls the listener from then on."""

    def __init__(self, listener: Listener) -> None:
        """Raise `DriverUnavailable` when the library is not installed."""
        self._pw = library.load()
        self._listener = listener
        self._core = self._stream = None
        self._loop = self._pw.pw_thread_loop_new(b"punktfunk-pictures", None)
        self._context = self._pw.pw_context_new(
            self._pw.pw_thread_loop_get_loop(self._loop), None, 0
        )

    @property
    def is_open(self) -> bool:
        return self._loop is not None

    def connect(self, fd: int, node: int | str, offered: list[bytes]) -> None:
        """Ask for pictures.

        Args:
            fd: A connection to PipeWire; closed with the stream.
            node: Number or name of what to listen to.
            offered: The formats we take, as pods, the best first.

        Raises:
            DriverUnavailable: PipeWire does not take us. The stream is closed.
        """
        try:
            self._connect(fd, node, offered)
        except BaseException:
            self.close()
            raise

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the library's thread out. May be entered again by whoever is in."""
        self._pw.pw_thread_loop_lock(self._loop)
        try:
            yield
        finally:
            self._pw.pw_thread_loop_unlock(self._loop)

    def dequeue(self) -> int | None:
        """Take a filled buffer; under the lock."""
        address: int | None = self._pw.pw_stream_dequeue_buffer(self._stream)
        return address

    def queue(self, address: int) -> None:
        """Let the producer fill a buffer again; under the lock."""
        self._pw.pw_stream_queue_buffer(self._stream, address)

    def update_params(self, answers: list[bytes]) -> None:
        with _pod_array(answers) as (array, count):
            self._pw.pw_stream_update_params(self._stream, array, count)

    def close(self) -> None:
        """Safe to call twice."""
        if self._loop:
            # First: what comes for a stream that is gone would leave its descriptors open.
            self._pw.pw_thread_loop_stop(self._loop)
        if self._stream:
            self._pw.pw_stream_destroy(self._stream)
        if self._core:
            self._pw.pw_core_disconnect(self._core)
        if self._context:
            self._pw.pw_context_destroy(self._context)
        if self._loop:
            self._pw.pw_thread_loop_destroy(self._loop)
        self._stream = self._core = self._context = self._loop = None

    def _connect(self, fd: int, node: int | str, offered: list[bytes]) -> None:
        if not self._context:
            os.close(fd)
            raise DriverUnavailable(
                "PipeWire", "its configuration client.conf is missing", hint=library.HINT
            )
        target = f"target.object={node}" if isinstance(node, str) else ""
        properties = (
            "{ media.type=Video media.category=Capture media.role=Screen "
            f"node.name=punktfunk-pictures {target} }}"
        )
        with self.locked():
            self._core = self._pw.pw_context_connect_fd(self._context, fd, None, 0)
            if not self._core:
                raise DriverUnavailable("PipeWire", "it does not accept the connection")
            self._stream = self._pw.pw_stream_new(
                self._core,
                b"punktfunk-pictures",
                self._pw.pw_properties_new_string(properties.encode()),
            )
            self._listen()
            with _pod_array(offered) as (array, count):
                status = self._pw.pw_stream_connect(
                    *(self._stream, _INPUT, node if isinstance(node, int) else _ANY_NODE),
                    *(_AUTOCONNECT | _DONT_RECONNECT, array, count),
                )
            if status < 0 or self._pw.pw_thread_loop_start(self._loop) < 0:
                raise DriverFailed("PipeWire refuses a stream")

    def _listen(self) -> None:
        """Register the callbacks; the library keeps pointers to all of them."""
        listener = self._listener

        def on_state(before: int, state: int, error: bytes | None) -> None:
            listener.state(before, state, (error or b"").decode(errors="replace"))

        def on_param(number: int, pod: int | None) -> None:
            if pod:
                size = int.from_bytes(ctypes.string_at(pod, 4), "little")
                if size > pods.MAX_POD_BYTES:
                    raise DriverFailed("PipeWire's answer makes no sense")
                listener.param(number, ctypes.string_at(pod, 8 + size))

        self._events = library.StreamEvents(
            version=library.StreamEvents.VERSION,
            state_changed=library.StateChanged(self._guarded(on_state)),
            param_changed=library.ParamChanged(self._guarded(on_param)),
            add_buffer=library.BufferEvent(self._guarded(listener.add_buffer)),
            remove_buffer=library.BufferEvent(self._guarded(listener.remove_buffer)),
            process=library.PlainEvent(self._guarded(listener.process)),
        )
        self._hook = library.Hook()
        self._pw.pw_stream_add_listener(
            self._stream, ctypes.byref(self._hook), ctypes.byref(self._events), None
        )

    def _guarded(self, handle: Callable[..., None]) -> Callable[..., None]:
        """An exception cannot leave a callback: it ends the stream and meets the reader."""

        def call(_: object, *arguments: object) -> None:
            try:
                handle(*arguments)
            except PunktfunkError as error:
                self._listener.fail(str(error))
            except Exception as error:
                self._listener.fail(f"a picture could not be taken: {error!r}")

        return call


def connect(path: Path) -> int:
    """Connect to the PipeWire that listens there.

    Raises:
        DriverUnavailable: nobody does.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connecting:
        try:
            connecting.connect(str(path))
        except OSError as error:
            raise DriverUnavailable(
                "PipeWire", f"no PipeWire answers at {path}", hint=library.HINT
            ) from error
        connecting.setblocking(False)
        return connecting.detach()


@contextlib.contextmanager
def _pod_array(contents: list[bytes]) -> Iterator[tuple[object, int]]:
    """Pods as C wants them, for the length of a call."""
    buffers = [np.frombuffer(pod, np.uint64) for pod in contents]  # aligned to eight bytes
    pointers = (ctypes.c_void_p * len(buffers))(*(buffer.ctypes.data for buffer in buffers))
    yield pointers, len(buffers)
