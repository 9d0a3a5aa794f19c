"""A connection to an X server, over its socket file and with its cookie."""

import ctypes
import os
import select
import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xcffib
import xcffib.damage
import xcffib.randr
import xcffib.shm
import xcffib.xfixes
import xcffib.xinput
import xcffib.xproto
import xcffib.xtest

from punktfunk.plugin import DriverFailed, DriverUnavailable
from punktfunk_capture_x11.authority import PROTOCOL, read_cookie
from punktfunk_capture_x11.displays import socket_path

_SIZE_CHANGED = 22
_MONITOR_CHANGES = 0b111  # of the screen, of what is on a monitor, of monitors themselves

# Every extension wants to be asked for its version first, each by a name of its own.
_HANDSHAKES = ("XIQueryVersion", "QueryVersion", "GetVersion")


class _LetIn(xcffib.Connection):  # type: ignore[misc]
    """The library's connection; its own constructor frees the cookie before it is sent.

    Raises:
        DriverFailed: from everything, once the server is gone.
    """

    def __init__(self, descriptor: int, cookie: bytes | None) -> None:
        authority = xcffib.ffi.NULL
        if cookie is not None:
            name = xcffib.ffi.new("char[]", PROTOCOL)
            data = xcffib.ffi.new("char[]", cookie)
            authority = xcffib.ffi.new("xcb_auth_info_t *")
            authority.name, authority.namelen = name, len(PROTOCOL)
            authority.data, authority.datalen = data, len(cookie)
        self._conn = xcffib.lib.xcb_connect_to_fd(descriptor, authority)
        self.pref_screen = 0
        try:
            self.invalid()
            self._init_x()
        except BaseException:
            self.disconnect()
            raise

    def invalid(self) -> None:
        """Called by the library around everything it does."""
        if self._conn is None or self.has_error():
            raise DriverFailed("the X server is gone")


class Connection:
    """One thread's own connection.

    Attributes:
        root: The window that everything is on.

    Raises:
        DriverFailed: from the constructor when the server does not let us in; from every
            method once it is gone.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.x: Any = None
        number = int(environment.get("DISPLAY", ":-1").removeprefix(":"))
        authority = environment.get("XAUTHORITY")
        cookie = read_cookie(Path(authority), number) if authority else None
        # A socket of ours: the library would try others, TCP too.
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connecting:
            try:
                connecting.connect(str(socket_path(number)))
            except OSError as error:
                raise DriverFailed(f"the X server does not answer: {error}") from error
            descriptor = connecting.detach()
        try:
            self.x = _LetIn(descriptor, cookie)
        except (DriverFailed, xcffib.XcffibException) as error:
            raise DriverFailed("the X server does not let us in") from error
        self.root: int = self.x.setup.roots[0].root
        self._poll = select.poll()
        self._poll.register(self.x.get_file_descriptor(), select.POLLIN)

    @property
    def core(self) -> Any:
        """Requests of the core protocol."""
        return self.x.core

    def extension(self, module: Any, *version: int) -> Any:
        """The requests of an extension, agreed on at most that version.

        Raises:
            DriverUnavailable: the server does not have it.
        """
        if not self._about(module).present:
            name = module.__name__.rpartition(".")[2]
            raise DriverUnavailable("x11", f"the X server has no extension {name}")
        requests = self.x(module.key)
        ask = next(getattr(requests, name) for name in _HANDSHAKES if hasattr(requests, name))
        self.reply(ask(*version))
        return requests

    def reply(self, cookie: Any) -> Any:
        """Wait for the answer to a request.

        Raises:
            xcffib.Error: the server refuses the request.
        """
        return cookie.reply()

    def reply_bytes(self, cookie: Any) -> memoryview:
        """The answer as it came: long lists are not worth an object an element."""
        answer = self.x.wait_for_reply(cookie.sequence)
        (more_words,) = struct.unpack_from("=I", xcffib.ffi.buffer(answer.cdata, 8), 4)
        return memoryview(bytes(xcffib.ffi.buffer(answer.cdata, 32 + 4 * more_words)))

    def first_event(self, module: Any) -> int:
        """The number of an extension's first kind of event."""
        return int(self._about(module).first_event)

    def events(self) -> set[int]:
        """The kinds of everything that has come, without waiting.

        Kinds only: the library reads past the end of some input events.
        """
        kinds = set()
        while True:
            event = xcffib.lib.xcb_poll_for_event(self._pointer)
            if event == xcffib.ffi.NULL:
                break
            kinds.add(event.response_type & 0x7F)
            xcffib.c_free(event)
        self.x.invalid()
        return kinds

    def wait(self, timeout_s: float) -> None:
        """Send what is queued, then sleep until something comes."""
        self.x.flush()
        self._poll.poll(max(0, timeout_s) * 1_000)

    def flush(self) -> None:
        self.x.flush()

    def sync(self) -> None:
        """Wait until everything that was asked for is done."""
        self.reply(self.core.GetInputFocus())

    def has_extension(self, name: str) -> bool:
        return bool(self.reply(self.core.QueryExtension(len(name), name)).present)

    def size(self) -> tuple[int, int]:
        """Width and height of the screen at this moment, in pixels."""
        geometry = self.reply(self.core.GetGeometry(self.root))
        return geometry.width, geometry.height

    def watch_size(self) -> frozenset[int]:
        """Have changes of the screen and of its monitors told; return their kinds of events."""
        what, wanted = xcffib.xproto.CW.EventMask, [xcffib.xproto.EventMask.StructureNotify]
        self.core.ChangeWindowAttributes(self.root, what, wanted)
        first = self.first_event(xcffib.randr)
        self.extension(xcffib.randr, 1, 5).SelectInput(self.root, _MONITOR_CHANGES)
        return frozenset({_SIZE_CHANGED, first, first + 1})

    def share_memory(self, descriptor: int) -> int:
        """Let the server write into the memory of a file; return its name for it.

        By descriptor, so that there is nothing to remove when we are killed.
        """
        segment: int = self.x.generate_id()
        library = ctypes.CDLL("libxcb-shm.so.0")
        library.xcb_shm_attach_fd.argtypes = [
            *(ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int32, ctypes.c_uint8)
        ]
        address = int(xcffib.ffi.cast("uintptr_t", self._pointer))
        # libxcb closes the descriptor it was given.
        library.xcb_shm_attach_fd(address, segment, os.dup(descriptor), 0)
        return segment

    def close(self) -> None:
        if self.x is not None:
            self.x.disconnect()
            self.x = None

    def _about(self, module: Any) -> Any:
        about = xcffib.lib.xcb_get_extension_data(self._pointer, module.key.c_key)
        self.x.invalid()
        return about

    @property
    def _pointer(self) -> Any:
        """The C library's connection. It must not be used once the connection is closed."""
        if self.x is None:
            raise DriverFailed("the connection is closed")
        return self.x._conn
