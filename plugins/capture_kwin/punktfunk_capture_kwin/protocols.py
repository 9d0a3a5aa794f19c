# mypy: disable-error-code="misc, untyped-decorator"
"""The KDE protocols we speak, only the requests and events we use or must know.

A message's number is its place in the interface, so messages that we never send are still
declared where one that we need comes after them.
"""

from typing import Any

from pywayland.protocol.wayland import WlOutput
from pywayland.protocol_core import Argument, ArgumentType, Interface, Proxy

_INT = Argument(ArgumentType.Int)
_UINT = Argument(ArgumentType.Uint)
_FIXED = Argument(ArgumentType.Fixed)
_STRING = Argument(ArgumentType.String)
_ARRAY = Argument(ArgumentType.Array)
_ANY = Argument(ArgumentType.Object, nullable=True)
_OUTPUT = Argument(ArgumentType.Object, interface=WlOutput)

POINTER_EMBEDDED = 2
"""The compositor draws the pointer into the picture."""


def _event(interface: type[Interface], name: str, *arguments: Argument, since: int = 1) -> None:
    def event() -> None: ...

    event.__name__ = name
    interface.event(*arguments, version=since if since > 1 else None)(event)


def _request(interface: type[Interface], name: str, *arguments: Argument, since: int = 1) -> None:
    def request() -> None: ...

    request.__name__ = name
    interface.request(*arguments, version=since if since > 1 else None)(request)


class ScreencastStream(Interface):
    name = "zkde_screencast_stream_unstable_v1"
    version = 4


class _ScreencastStreamProxy(Proxy[ScreencastStream]):
    interface = ScreencastStream

    @ScreencastStream.request()
    def close(self) -> None:
        self._marshal(0)
        self._destroy()

    destroy = close


_event(ScreencastStream, "closed")
_event(ScreencastStream, "created", _UINT)  # PipeWire node
_event(ScreencastStream, "failed", _STRING)

_STREAM = Argument(ArgumentType.NewId, interface=ScreencastStream)


class Screencast(Interface):
    name = "zkde_screencast_unstable_v1"
    version = 4


class _ScreencastProxy(Proxy[Screencast]):
    interface = Screencast

    @Screencast.request(_STREAM, _OUTPUT, _UINT)
    def stream_output(self, output: Any, pointer: int) -> Any:
        return self._marshal_constructor(0, ScreencastStream, output, pointer)

    @Screencast.request(_STREAM, _STRING, _UINT)
    def stream_window(self, uuid: str, pointer: int) -> Any:
        return self._marshal_constructor(1, ScreencastStream, uuid, pointer)

    @Screencast.request()
    def destroy(self) -> None:
        self._marshal(2)
        self._destroy()

    @Screencast.request(_STREAM, _STRING, _INT, _INT, _FIXED, _UINT, version=2)
    def stream_virtual_output(
        self, name: str, width: int, height: int, scale: float, pointer: int
    ) -> Any:
        return self._marshal_constructor(3, ScreencastStream, name, width, height, scale, pointer)


class PlasmaWindow(Interface):
    name = "org_kde_plasma_window"
    version = 13


class _PlasmaWindowProxy(Proxy[PlasmaWindow]):
    interface = PlasmaWindow

    def destroy(self) -> None:
        self._marshal(7)
        self._destroy()


_request(PlasmaWindow, "set_state", _UINT, _UINT)
_request(PlasmaWindow, "set_virtual_desktop", _UINT)
_request(PlasmaWindow, "set_minimized_geometry", _ANY, _UINT, _UINT, _UINT, _UINT)
_request(PlasmaWindow, "unset_minimized_geometry", _ANY)
_request(PlasmaWindow, "close")
_request(PlasmaWindow, "request_move", since=3)
_request(PlasmaWindow, "request_resize", since=3)
_request(PlasmaWindow, "destroy", since=4)
_event(PlasmaWindow, "title_changed", _STRING)
_event(PlasmaWindow, "app_id_changed", _STRING)
_event(PlasmaWindow, "state_changed", _UINT)
_event(PlasmaWindow, "virtual_desktop_changed", _INT)
_event(PlasmaWindow, "themed_icon_name_changed", _STRING)
_event(PlasmaWindow, "unmapped")
_event(PlasmaWindow, "initial_state", since=4)
_event(PlasmaWindow, "parent_window", _ANY, since=5)
_event(PlasmaWindow, "geometry", _INT, _INT, _UINT, _UINT, since=6)
_event(PlasmaWindow, "icon_changed", since=7)
_event(PlasmaWindow, "pid_changed", _UINT)
_event(PlasmaWindow, "virtual_desktop_entered", _STRING, since=8)
_event(PlasmaWindow, "virtual_desktop_left", _STRING, since=8)
_event(PlasmaWindow, "application_menu", _STRING, _STRING, since=10)

_WINDOW = Argument(ArgumentType.NewId, interface=PlasmaWindow)


class PlasmaWindowManagement(Interface):
    name = "org_kde_plasma_window_management"
    version = 13


class _PlasmaWindowManagementProxy(Proxy[PlasmaWindowManagement]):
    interface = PlasmaWindowManagement

    def get_window_by_uuid(self, uuid: str) -> Any:
        return self._marshal_constructor(2, PlasmaWindow, uuid)

    def destroy(self) -> None:
        """Forget it; the protocol has no farewell."""
        self._destroy()


_request(PlasmaWindowManagement, "show_desktop", _UINT)
_request(PlasmaWindowManagement, "get_window", _WINDOW, _UINT)
_request(PlasmaWindowManagement, "get_window_by_uuid", _WINDOW, _STRING, since=12)
_event(PlasmaWindowManagement, "show_desktop_changed", _UINT)
_event(PlasmaWindowManagement, "window", _UINT)
_event(PlasmaWindowManagement, "stacking_order_changed", _ARRAY, since=11)
_event(PlasmaWindowManagement, "stacking_order_uuid_changed", _STRING, since=12)
_event(PlasmaWindowManagement, "window_with_uuid", _UINT, _STRING, since=13)


class FakeInput(Interface):
    name = "org_kde_kwin_fake_input"
    version = 4


class _FakeInputProxy(Proxy[FakeInput]):
    """Positions are the whole desktop's; key and button codes are evdev's."""

    interface = FakeInput

    @FakeInput.request(_STRING, _STRING)
    def authenticate(self, application: str, reason: str) -> None:
        self._marshal(0, application, reason)

    @FakeInput.request(_FIXED, _FIXED)
    def pointer_motion(self, dx: float, dy: float) -> None:
        self._marshal(1, dx, dy)

    @FakeInput.request(_UINT, _UINT)
    def button(self, button: int, state: int) -> None:
        self._marshal(2, button, state)

    @FakeInput.request(_UINT, _FIXED)
    def axis(self, axis: int, value: float) -> None:
        self._marshal(3, axis, value)

    @FakeInput.request(_UINT, _FIXED, _FIXED, version=2)
    def touch_down(self, finger: int, x: float, y: float) -> None:
        self._marshal(4, finger, x, y)

    @FakeInput.request(_UINT, _FIXED, _FIXED, version=2)
    def touch_motion(self, finger: int, x: float, y: float) -> None:
        self._marshal(5, finger, x, y)

    @FakeInput.request(_UINT, version=2)
    def touch_up(self, finger: int) -> None:
        self._marshal(6, finger)

    @FakeInput.request(version=2)
    def touch_cancel(self) -> None:
        self._marshal(7)

    @FakeInput.request(version=2)
    def touch_frame(self) -> None:
        self._marshal(8)

    @FakeInput.request(_FIXED, _FIXED, version=3)
    def pointer_motion_absolute(self, x: float, y: float) -> None:
        self._marshal(9, x, y)

    @FakeInput.request(_UINT, _UINT, version=4)
    def keyboard_key(self, key: int, state: int) -> None:
        self._marshal(10, key, state)

    def destroy(self) -> None:
        """Forget it; the protocol's own farewell came with version 5."""
        self._destroy()


for _interface, _proxy in (
    (ScreencastStream, _ScreencastStreamProxy),
    (Screencast, _ScreencastProxy),
    (PlasmaWindow, _PlasmaWindowProxy),
    (PlasmaWindowManagement, _PlasmaWindowManagementProxy),
    (FakeInput, _FakeInputProxy),
):
    _interface._gen_c()
    _interface.proxy_class = _proxy
