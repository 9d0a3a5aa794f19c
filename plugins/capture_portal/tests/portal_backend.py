"""A portal backend for tests: what the real xdg-desktop-portal asks is answered as a test says."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import attrs
from jeepney import (
    DBusAddress,
    HeaderFields,
    MessageType,
    new_error,
    new_method_return,
    new_signal,
)
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection

NAME = "org.freedesktop.impl.portal.desktop.fake"
SCREENCAST = "org.freedesktop.impl.portal.ScreenCast"
REMOTE_DESKTOP = "org.freedesktop.impl.portal.RemoteDesktop"
SESSION = "org.freedesktop.impl.portal.Session"
PROPERTIES = "org.freedesktop.DBus.Properties"
RESTORE_DATA = "(suv)", ("FAKE", 1, ("s", "the screen that was chosen"))
WAIT_S = 30.0


@attrs.define(eq=False, slots=False)
class Backend:
    """What it answers may be changed at any time.

    Attributes:
        response: To Start: 0 shared, 1 declined, 2 broken; None never answers.
        streams: That are shared.
        devices: That somebody allows; None allows what is asked for.
        calls: Everything that arrived: member and arguments.
        share: Makes the streams when something is shared, instead of `streams`.
        on_input: Called with each `Notify…`: member and what comes after the options.
    """

    address: str
    sources: int = 1
    cursors: int = 7
    available_devices: int = 7
    response: int | None = 0
    devices: int | None = None
    streams: list[Any] = attrs.field(factory=lambda: [(42, {"size": ("(ii)", (1600, 900))})])
    calls: list[tuple[str, tuple[Any, ...]]] = attrs.field(factory=list)
    share: Callable[[], list[Any]] | None = None
    on_input: Callable[[str, tuple[Any, ...]], None] = lambda member, arguments: None
    _news: threading.Condition = attrs.field(factory=threading.Condition)
    _selected: int = 0
    _remembers: bool = False

    def start(self) -> None:
        self._connection = open_dbus_connection(self.address, enable_fds=True)
        self._connection.send_and_get_reply(message_bus.RequestName(NAME), timeout=WAIT_S)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        with suppress(OSError):
            self._connection.sock.shutdown(2)
        self._thread.join(WAIT_S)
        self._connection.close()

    def members(self) -> list[str]:
        return [member for member, _ in self.calls]

    def inputs(self) -> list[tuple[str, tuple[Any, ...]]]:
        return [call for call in self.calls if call[0].startswith("Notify")]

    def wait_for(self, member: str, value: object) -> None:
        """Wait for input of which `value` is the first thing after the options."""
        with self._news:
            came = self._news.wait_for(
                lambda: any(it == member and body[2] == value for it, body in self.calls), WAIT_S
            )
        assert came, f"no {member} {value} among {self.inputs()}"

    def arguments(self, member: str) -> tuple[Any, ...]:
        """Wait for a call; return the arguments of the latest."""
        with self._news:
            came = self._news.wait_for(lambda: member in self.members(), WAIT_S)
        assert came, f"no {member} among {self.members()}"
        return next(body for name, body in reversed(self.calls) if name == member)

    def options(self, member: str) -> dict[str, Any]:
        return {name: value for name, (_, value) in self.arguments(member)[-1].items()}

    def end_sharing(self) -> None:
        """As when somebody at the machine clicks on `stop`."""
        _, session, *_ = self.arguments("Start")
        self._connection.send(new_signal(DBusAddress(session, interface=SESSION), "Closed"))

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                call = self._connection.receive()
                if call.header.message_type is MessageType.method_call:
                    self._answer(call)

    def _answer(self, call: Any) -> None:
        fields = call.header.fields
        interface = fields.get(HeaderFields.interface, "")
        member, body = fields[HeaderFields.member], call.body
        if interface == PROPERTIES:
            found = self._properties(body[0])
            if member == "GetAll":
                self._connection.send(new_method_return(call, "a{sv}", (found,)))
            elif member == "Get" and body[1] in found:
                self._connection.send(new_method_return(call, "v", (found[body[1]],)))
            else:
                self._connection.send(new_error(call, "org.freedesktop.DBus.Error.InvalidArgs"))
            return
        with self._news:
            self.calls.append((member, body))
            self._news.notify_all()
        match member:
            case "CreateSession":
                self._respond(call, {})
            case "SelectDevices":
                self._selected = body[3]["types"][1]
                self._respond(call, {})
            case "SelectSources":
                self._remembers = body[3].get("persist_mode", ("u", 0))[1] == 2
                self._respond(call, {})
            case "Start" if self.response is not None:
                self._start(call, interface)
            case "Start":
                pass
            case _:
                if member.startswith("Notify"):
                    self.on_input(member, body[2:])
                self._connection.send(new_method_return(call))

    def _start(self, call: Any, interface: str) -> None:
        streams = self.streams if self.share is None else self.share()
        results: dict[str, Any] = {"streams": ("a(ua{sv})", streams)}
        if interface == REMOTE_DESKTOP:
            devices = self._selected if self.devices is None else self.devices
            results["devices"] = ("u", devices)
        if self._remembers:
            results |= {"persist_mode": ("u", 2), "restore_data": RESTORE_DATA}
        self._respond(call, results if self.response == 0 else {}, self.response)

    def _respond(self, call: Any, results: dict[str, Any], code: int = 0) -> None:
        self._connection.send(new_method_return(call, "ua{sv}", (code, results)))

    def _properties(self, interface: str) -> dict[str, tuple[str, Any]]:
        if interface == SCREENCAST:
            return {
                "version": ("u", 4),
                "AvailableSourceTypes": ("u", self.sources),
                "AvailableCursorModes": ("u", self.cursors),
            }
        if interface == REMOTE_DESKTOP:
            return {"version": ("u", 1), "AvailableDeviceTypes": ("u", self.available_devices)}
        return {}
