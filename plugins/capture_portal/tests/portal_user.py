"""Somebody's session on a folder of its own: message bus, PipeWire, and the real portal."""

from desk import wait_until

from punktfunk.plugin import Bus, BusError, PipeWireServer
from punktfunk.testing import FakeSeat
from punktfunk.testing.seat import FakeSeatProcess

PORTAL = "/usr/libexec/xdg-desktop-portal"
PERMISSIONS = "/usr/libexec/xdg-permission-store"

_BUS = """\
<busconfig>
  <type>session</type>
  <listen>unix:path={folder}/bus</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{folder}/services</servicedir>
  <policy context="default">
    <allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>
  </policy>
</busconfig>
"""
_SERVICE = "[D-BUS Service]\nName={name}\nExec={program}\n"
_FAKE_PORTAL = """\
[portal]
DBusName=org.freedesktop.impl.portal.desktop.fake
Interfaces={interfaces}
UseIn=fake
"""


class User:
    """Before a desktop is in it. `desktop` is its name: the portal finds a backend by that."""

    def __init__(self, desktop: str) -> None:
        self.seat = FakeSeat("seat-user")
        folder = self.seat.runtime_dir
        self.environment = {
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={folder}/bus",
            "XDG_RUNTIME_DIR": str(folder),
            "XDG_CURRENT_DESKTOP": desktop,
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_DATA_HOME": str(folder / "data"),
            "WAYLAND_DISPLAY": "wayland-1",
            "GIO_USE_VFS": "local",
        }
        (folder / "services").mkdir()
        (folder / "bus.conf").write_text(_BUS.format(folder=folder))
        self.start("bus", ["dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork"])
        wait_until(self._has_bus, lambda: self.seat.log_tail("bus"))
        self.add_service("org.freedesktop.impl.portal.PermissionStore", PERMISSIONS)

    def add_service(self, name: str, program: str) -> None:
        """Have the bus start a program when somebody asks for a name."""
        folder = self.seat.runtime_dir
        wrapper = folder / f"start-{name}"
        variables = " ".join(f"{key}='{value}'" for key, value in self.environment.items())
        wrapper.write_text(f"#!/bin/sh\n{variables} exec {program}\n")
        wrapper.chmod(0o700)
        file = folder / "services" / f"{name}.service"
        file.write_text(_SERVICE.format(name=name, program=wrapper))
        bus = Bus.session(self.environment)
        daemon = "org.freedesktop.DBus"
        bus.call(daemon, "/org/freedesktop/DBus", daemon, "ReloadConfig")
        bus.close()

    def start(self, name: str, argv: list[str], **environment: str) -> FakeSeatProcess:
        return self.seat.spawn(name, argv, environment={**self.environment, **environment})

    def process(self, name: str) -> FakeSeatProcess:
        return next(it for it in reversed(self.seat.processes) if it.name == name)

    def start_pipewire(self) -> None:
        server = PipeWireServer(self.seat)
        server.start()
        self.environment |= server.environment

    def use_backend(self, interfaces: str) -> None:
        """Have the portal ask the backend of the tests for these."""
        folder = self.seat.runtime_dir / "portals"
        folder.mkdir()
        (folder / "fake.portal").write_text(_FAKE_PORTAL.format(interfaces=interfaces))
        self.environment["XDG_DESKTOP_PORTAL_DIR"] = str(folder)

    def start_portal(self) -> None:
        self.start("portal", [PORTAL])
        self.wait_for_name("org.freedesktop.portal.Desktop", "portal")

    def wait_for_name(self, name: str, program: str) -> None:
        bus = Bus.session(self.environment)
        try:
            wait_until(lambda: bus.owned(name), lambda: self.seat.log_tail(program, 20))
        finally:
            bus.close()

    def _has_bus(self) -> bool:
        try:
            Bus.session(self.environment).close()
        except BusError:
            return False
        return True
