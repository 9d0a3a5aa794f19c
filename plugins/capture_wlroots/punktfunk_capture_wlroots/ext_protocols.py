# mypy: disable-error-code="misc, untyped-decorator"
"""Wayland's own protocols for copying pictures, only what we use or must know.

As in `protocols`, a message's number is its place in the interface.
"""

from typing import Any

from pywayland.protocol.wayland import WlBuffer, WlOutput, WlPointer
from pywayland.protocol_core import Argument, ArgumentType, Interface, Proxy

from punktfunk_capture_wlroots.protocols import declare_event

PAINT_CURSORS = 1
CONSTRAINTS_CHANGED, STOPPED = 1, 2
"""Reasons why a frame failed; 0 is any other."""

_INT = Argument(ArgumentType.Int)
_UINT = Argument(ArgumentType.Uint)
_ARRAY = Argument(ArgumentType.Array)
_BUFFER = Argument(ArgumentType.Object, interface=WlBuffer)
_OUTPUT = Argument(ArgumentType.Object, interface=WlOutput)


class CaptureSource(Interface):
    name = "ext_image_capture_source_v1"
    version = 1


class _CaptureSourceProxy(Proxy[CaptureSource]):
    interface = CaptureSource

    @CaptureSource.request()
    def destroy(self) -> None:
        self._marshal(0)
        self._destroy()


class OutputSourceManager(Interface):
    name = "ext_output_image_capture_source_manager_v1"
    version = 1


class _OutputSourceManagerProxy(Proxy[OutputSourceManager]):
    interface = OutputSourceManager

    @OutputSourceManager.request(Argument(ArgumentType.NewId, interface=CaptureSource), _OUTPUT)
    def create_source(self, output: Any) -> Any:
        return self._marshal_constructor(0, CaptureSource, output)

    @OutputSourceManager.request()
    def destroy(self) -> None:
        self._marshal(1)
        self._destroy()


class CopyFrame(Interface):
    name = "ext_image_copy_capture_frame_v1"
    version = 1


class _CopyFrameProxy(Proxy[CopyFrame]):
    interface = CopyFrame

    @CopyFrame.request()
    def destroy(self) -> None:
        self._marshal(0)
        self._destroy()

    @CopyFrame.request(_BUFFER)
    def attach_buffer(self, buffer: Any) -> None:
        self._marshal(1, buffer)

    @CopyFrame.request(_INT, _INT, _INT, _INT)
    def damage_buffer(self, x: int, y: int, width: int, height: int) -> None:
        """Say what in the buffer is older than the frame before."""
        self._marshal(2, x, y, width, height)

    @CopyFrame.request()
    def capture(self) -> None:
        """Copy at once the first time in a session, then when something changed."""
        self._marshal(3)


declare_event(CopyFrame, "transform", _UINT)
declare_event(CopyFrame, "damage", _INT, _INT, _INT, _INT)
declare_event(CopyFrame, "presentation_time", _UINT, _UINT, _UINT)
declare_event(CopyFrame, "ready")
declare_event(CopyFrame, "failed", _UINT)


class CopySession(Interface):
    name = "ext_image_copy_capture_session_v1"
    version = 1


class _CopySessionProxy(Proxy[CopySession]):
    interface = CopySession

    @CopySession.request(Argument(ArgumentType.NewId, interface=CopyFrame))
    def create_frame(self) -> Any:
        """Only one may exist at a time."""
        return self._marshal_constructor(0, CopyFrame)

    @CopySession.request()
    def destroy(self) -> None:
        self._marshal(1)
        self._destroy()


declare_event(CopySession, "buffer_size", _UINT, _UINT)
declare_event(CopySession, "shm_format", _UINT)
declare_event(CopySession, "dmabuf_device", _ARRAY)
declare_event(CopySession, "dmabuf_format", _UINT, _ARRAY)
declare_event(CopySession, "done")
declare_event(CopySession, "stopped")


class CursorSession(Interface):
    name = "ext_image_copy_capture_cursor_session_v1"
    version = 1


class CopyManager(Interface):
    name = "ext_image_copy_capture_manager_v1"
    version = 1


class _CopyManagerProxy(Proxy[CopyManager]):
    interface = CopyManager

    @CopyManager.request(
        Argument(ArgumentType.NewId, interface=CopySession),
        Argument(ArgumentType.Object, interface=CaptureSource),
        _UINT,
    )
    def create_session(self, source: Any, options: int) -> Any:
        return self._marshal_constructor(0, CopySession, source, options)

    @CopyManager.request(
        Argument(ArgumentType.NewId, interface=CursorSession),
        Argument(ArgumentType.Object, interface=CaptureSource),
        Argument(ArgumentType.Object, interface=WlPointer),
    )
    def create_pointer_cursor_session(self, source: Any, pointer: Any) -> Any:
        return self._marshal_constructor(1, CursorSession, source, pointer)

    @CopyManager.request()
    def destroy(self) -> None:
        self._marshal(2)
        self._destroy()


for _interface, _proxy in (
    (CaptureSource, _CaptureSourceProxy),
    (OutputSourceManager, _OutputSourceManagerProxy),
    (CopyFrame, _CopyFrameProxy),
    (CopySession, _CopySessionProxy),
    (CursorSession, Proxy),
    (CopyManager, _CopyManagerProxy),
):
    _interface._gen_c()
    _interface.proxy_class = _proxy
