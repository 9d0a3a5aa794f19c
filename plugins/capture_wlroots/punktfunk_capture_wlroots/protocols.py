# mypy: disable-error-code="misc, untyped-decorator"
"""The three wlroots protocols we speak, only the requests and events we use or must know.

A message's number is its place in the interface, so messages that we never send are still
declared where one that we need comes after them.
"""

from typing import Any

from pywayland.protocol.wayland import WlBuffer, WlOutput, WlSeat
from pywayland.protocol_core import Argument, ArgumentType, Interface, Proxy

_INT = Argument(ArgumentType.Int)
_UINT = Argument(ArgumentType.Uint)
_FIXED = Argument(ArgumentType.Fixed)
_FD = Argument(ArgumentType.FileDescriptor)
_BUFFER = Argument(ArgumentType.Object, interface=WlBuffer)
_OUTPUT = Argument(ArgumentType.Object, interface=WlOutput)
_ANY_OUTPUT = Argument(ArgumentType.Object, interface=WlOutput, nullable=True)
_SEAT = Argument(ArgumentType.Object, interface=WlSeat)
_ANY_SEAT = Argument(ArgumentType.Object, interface=WlSeat, nullable=True)


def declare_event(
    interface: type[Interface], name: str, *arguments: Argument, since: int = 1
) -> None:
    def event() -> None: ...

    event.__name__ = name
    interface.event(*arguments, version=since if since > 1 else None)(event)


class ScreencopyFrame(Interface):
    name = "zwlr_screencopy_frame_v1"
    version = 3


class _ScreencopyFrameProxy(Proxy[ScreencopyFrame]):
    interface = ScreencopyFrame

    @ScreencopyFrame.request(_BUFFER)
    def copy(self, buffer: Any) -> None:
        """Copy the next picture, changed or not."""
        self._marshal(0, buffer)

    @ScreencopyFrame.request()
    def destroy(self) -> None:
        self._marshal(1)
        self._destroy()

    @ScreencopyFrame.request(_BUFFER, version=2)
    def copy_with_damage(self, buffer: Any) -> None:
        """Copy the next picture in which something changed."""
        self._marshal(2, buffer)


declare_event(
    ScreencopyFrame, "buffer", _UINT, _UINT, _UINT, _UINT
)  # format, width, height, stride
declare_event(ScreencopyFrame, "flags", _UINT)
declare_event(
    ScreencopyFrame, "ready", _UINT, _UINT, _UINT
)  # seconds high, seconds low, nanoseconds
declare_event(ScreencopyFrame, "failed")
declare_event(ScreencopyFrame, "damage", _UINT, _UINT, _UINT, _UINT, since=2)
declare_event(ScreencopyFrame, "linux_dmabuf", _UINT, _UINT, _UINT, since=3)
declare_event(ScreencopyFrame, "buffer_done", since=3)


class ScreencopyManager(Interface):
    name = "zwlr_screencopy_manager_v1"
    version = 3


class _ScreencopyManagerProxy(Proxy[ScreencopyManager]):
    interface = ScreencopyManager

    @ScreencopyManager.request(
        Argument(ArgumentType.NewId, interface=ScreencopyFrame), _INT, _OUTPUT
    )
    def capture_output(self, overlay_cursor: int, output: Any) -> Any:
        return self._marshal_constructor(0, ScreencopyFrame, overlay_cursor, output)

    @ScreencopyManager.request(
        Argument(ArgumentType.NewId, interface=ScreencopyFrame),
        *(_INT, _OUTPUT, _INT, _INT, _INT, _INT),
    )
    def capture_output_region(self, *arguments: Any) -> Any:
        return self._marshal_constructor(1, ScreencopyFrame, *arguments)

    @ScreencopyManager.request()
    def destroy(self) -> None:
        self._marshal(2)
        self._destroy()


class VirtualPointer(Interface):
    name = "zwlr_virtual_pointer_v1"
    version = 2


class _VirtualPointerProxy(Proxy[VirtualPointer]):
    """Times are milliseconds; nothing takes effect before `frame`."""

    interface = VirtualPointer

    @VirtualPointer.request(_UINT, _FIXED, _FIXED)
    def motion(self, time_ms: int, dx: float, dy: float) -> None:
        self._marshal(0, time_ms, dx, dy)

    @VirtualPointer.request(_UINT, _UINT, _UINT, _UINT, _UINT)
    def motion_absolute(self, time_ms: int, x: int, y: int, x_extent: int, y_extent: int) -> None:
        self._marshal(1, time_ms, x, y, x_extent, y_extent)

    @VirtualPointer.request(_UINT, _UINT, _UINT)
    def button(self, time_ms: int, button: int, state: int) -> None:
        self._marshal(2, time_ms, button, state)

    @VirtualPointer.request(_UINT, _UINT, _FIXED)
    def axis(self, time_ms: int, axis: int, value: float) -> None:
        self._marshal(3, time_ms, axis, value)

    @VirtualPointer.request()
    def frame(self) -> None:
        self._marshal(4)

    @VirtualPointer.request(_UINT)
    def axis_source(self, source: int) -> None:
        self._marshal(5, source)

    @VirtualPointer.request(_UINT, _UINT)
    def axis_stop(self, time_ms: int, axis: int) -> None:
        self._marshal(6, time_ms, axis)

    @VirtualPointer.request(_UINT, _UINT, _FIXED, _INT)
    def axis_discrete(self, time_ms: int, axis: int, value: float, notches: int) -> None:
        self._marshal(7, time_ms, axis, value, notches)

    @VirtualPointer.request()
    def destroy(self) -> None:
        self._marshal(8)
        self._destroy()


class VirtualPointerManager(Interface):
    name = "zwlr_virtual_pointer_manager_v1"
    version = 2


class _VirtualPointerManagerProxy(Proxy[VirtualPointerManager]):
    interface = VirtualPointerManager

    @VirtualPointerManager.request(
        _ANY_SEAT, Argument(ArgumentType.NewId, interface=VirtualPointer)
    )
    def create_virtual_pointer(self, seat: Any) -> Any:
        return self._marshal_constructor(0, VirtualPointer, seat)

    @VirtualPointerManager.request()
    def destroy(self) -> None:
        self._marshal(1)
        self._destroy()

    @VirtualPointerManager.request(
        _ANY_SEAT, _ANY_OUTPUT, Argument(ArgumentType.NewId, interface=VirtualPointer), version=2
    )
    def create_virtual_pointer_with_output(self, seat: Any, output: Any) -> Any:
        return self._marshal_constructor(2, VirtualPointer, seat, output)


class VirtualKeyboard(Interface):
    name = "zwp_virtual_keyboard_v1"
    version = 1


class _VirtualKeyboardProxy(Proxy[VirtualKeyboard]):
    interface = VirtualKeyboard

    @VirtualKeyboard.request(_UINT, _FD, _UINT)
    def keymap(self, keymap_format: int, fd: int, size_bytes: int) -> None:
        self._marshal(0, keymap_format, fd, size_bytes)

    @VirtualKeyboard.request(_UINT, _UINT, _UINT)
    def key(self, time_ms: int, code: int, state: int) -> None:
        """Press (1) or release (0) a key; codes are evdev's."""
        self._marshal(1, time_ms, code, state)

    @VirtualKeyboard.request(_UINT, _UINT, _UINT, _UINT)
    def modifiers(self, depressed: int, latched: int, locked: int, group: int) -> None:
        self._marshal(2, depressed, latched, locked, group)

    @VirtualKeyboard.request()
    def destroy(self) -> None:
        self._marshal(3)
        self._destroy()


class VirtualKeyboardManager(Interface):
    name = "zwp_virtual_keyboard_manager_v1"
    version = 1


class _VirtualKeyboardManagerProxy(Proxy[VirtualKeyboardManager]):
    interface = VirtualKeyboardManager

    @VirtualKeyboardManager.request(_SEAT, Argument(ArgumentType.NewId, interface=VirtualKeyboard))
    def create_virtual_keyboard(self, seat: Any) -> Any:
        return self._marshal_constructor(0, VirtualKeyboard, seat)


for _interface, _proxy in (
    (ScreencopyFrame, _ScreencopyFrameProxy),
    (ScreencopyManager, _ScreencopyManagerProxy),
    (VirtualPointer, _VirtualPointerProxy),
    (VirtualPointerManager, _VirtualPointerManagerProxy),
    (VirtualKeyboard, _VirtualKeyboardProxy),
    (VirtualKeyboardManager, _VirtualKeyboardManagerProxy),
):
    _interface._gen_c()
    _interface.proxy_class = _proxy
