"""logind, a screen saver and a user's systemd, as far as we ask them, on a real message bus.

None of them runs on a machine for tests. What they answer is as their documentation says.
"""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jeepney import DBusAddress, HeaderFields, new_error, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection

UNITS_PATH = "/org/freedesktop/systemd1/unit/"
ACCESS_DENIED = "org.freedesktop.DBus.Error.AccessDenied"
UNKNOWN_OBJECT = "org.freedesktop.DBus.Error.UnknownObject"
NO_SUCH_UNIT = "org.freedesktop.systemd1.NoSuchUnit"


@contextmanager
def message_bus_at(path: Path) -> Iterator[str]:
    address = f"unix:path={path}"
    daemon = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address", f"--address={address}"],
        stdout=subprocess.PIPE,
    )
    daemon.stdout.readline()
    yield address
    daemon.kill()
    daemon.wait()
    daemon.stdout.close()


class Service:
    """Answers calls to one name, in a thread. A subclass has a method `on_member` for each.

    Attributes:
        heard: Member and arguments of every call.
        slow_s: How long it thinks before each answer.
    """

    name = ""

    def __init__(self, address: str) -> None:
        self.heard: list[tuple[str, tuple[object, ...]]] = []
        self.slow_s = 0.0
        self._connection = open_dbus_connection(address, enable_fds=True)
        self._connection.send_and_get_reply(message_bus.RequestName(self.name), timeout=10)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join(30)
        self._connection.close()

    def calls(self, member: str) -> list[tuple[object, ...]]:
        return [arguments for name, arguments in self.heard if name == member]

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                call = self._connection.receive(timeout=0.1)
            except TimeoutError:
                self.idle()
                continue
            except OSError:  # the bus is gone
                return
            member = call.header.fields.get(HeaderFields.member)
            answer = getattr(self, f"on_{member}".lower(), None)
            if call.header.message_type.name != "method_call" or answer is None:
                continue
            self.heard.append((member, tuple(call.body)))
            self._closed.wait(self.slow_s)
            for message in answer(call):
                with contextlib.suppress(OSError):
                    self._connection.send(message)

    def idle(self) -> None:
        """Called now and then."""


class Logind(Service):
    """Attributes:
    allows: What may be inhibited.
    locks: What is, by the reading end of the pipe whose other end was given away.
    """

    name = "org.freedesktop.login1"

    def __init__(self, address: str) -> None:
        self.allows = {"idle:sleep", "idle"}
        self.locks: dict[int, tuple[str, ...]] = {}
        super().__init__(address)

    def on_inhibit(self, call: object) -> list[object]:
        if call.body[0] not in self.allows:
            return [new_error(call, ACCESS_DENIED, "s", ("Permission denied",))]
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        self.locks[reading] = tuple(call.body)
        answer = new_method_return(call, "h", (writing,))
        self._connection.send(answer)
        os.close(writing)
        return []

    def idle(self) -> None:
        """Forget locks whose other end was closed."""
        for reading in list(self.locks):
            with contextlib.suppress(BlockingIOError):
                if os.read(reading, 1) == b"":
                    del self.locks[reading]
                    os.close(reading)


class ScreenSaver(Service):
    """Attributes:
    inhibitors: Unique names of those who asked and are still on the bus.
    """

    name = "org.freedesktop.ScreenSaver"

    def __init__(self, address: str) -> None:
        self.inhibitors: list[str] = []
        super().__init__(address)

    def on_inhibit(self, call: object) -> list[object]:
        self.inhibitors.append(call.header.fields[HeaderFields.sender])
        return [new_method_return(call, "u", (7,))]

    def idle(self) -> None:
        for name in list(self.inhibitors):
            asked = message_bus.NameHasOwner(name)
            if not self._connection.send_and_get_reply(asked, timeout=10).body[0]:
                self.inhibitors.remove(name)


class UserSystemd(Service):
    """Keeps scopes, as a real control group where `group` is one.

    Attributes:
        result: How jobs end.
        refuses: Name of the error that starting is answered with.
        group: What it says is the unit's control group.
        enter: Called with the process that is moved.
        before_told: Called with a unit whose properties are asked for.
        stop: Called when the unit is stopped.
    """

    name = "org.freedesktop.systemd1"

    def __init__(self, address: str) -> None:
        self.result, self.refuses, self.group = "done", "", "/nowhere"
        self.enter: Callable[[int], None] = lambda pid: None
        self.before_told: Callable[[str], object] = lambda unit: None
        self.stop: Callable[[], None] = lambda: None
        self.units: dict[str, str] = {}
        self.jobs = 0
        super().__init__(address)

    def on_subscribe(self, call: object) -> list[object]:
        return [new_method_return(call)]

    def on_starttransientunit(self, call: object) -> list[object]:
        if self.refuses:
            return [new_error(call, self.refuses, "s", ("no such process",))]
        unit, mode, properties, auxiliary = call.body
        assert (mode, auxiliary) == ("fail", [])
        told = {key: value for key, (_, value) in properties}
        self.enter(told["PIDs"][0])
        if self.result == "done":
            self.units[unit] = told["Description"]
        self.jobs += 1
        return [
            self._removed("/job/other", "other.service"),
            new_method_return(call, "o", (f"/job/{self.jobs}",)),
            self._removed(f"/job/{self.jobs}", unit),
        ]

    def on_getunit(self, call: object) -> list[object]:
        if call.body[0] not in self.units:
            return [new_error(call, NO_SUCH_UNIT, "s", ("not loaded",))]
        return [new_method_return(call, "o", (UNITS_PATH + call.body[0].encode().hex(),))]

    def on_get(self, call: object) -> list[object]:
        path = call.header.fields[HeaderFields.path]
        unit = bytes.fromhex(path.removeprefix(UNITS_PATH)).decode()
        self.before_told(unit)
        if unit not in self.units:
            return [new_error(call, UNKNOWN_OBJECT, "s", ("no such unit",))]
        value = {"ControlGroup": self.group, "Description": self.units[unit]}[call.body[1]]
        return [new_method_return(call, "v", (("s", value),))]

    def on_stopunit(self, call: object) -> list[object]:
        del self.units[call.body[0]]
        self.stop()
        return [new_method_return(call, "o", ("/job/stop",))]

    def _removed(self, job: str, unit: str) -> object:
        manager = DBusAddress(
            "/org/freedesktop/systemd1",
            bus_name=self.name,
            interface="org.freedesktop.systemd1.Manager",
        )
        return new_signal(manager, "JobRemoved", "uoss", (self.jobs, job, unit, self.result))


def until(condition: Callable[[], object], limit_s: float = 30.0) -> bool:
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
