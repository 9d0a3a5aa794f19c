"""A systemd scope for the app, where the user has a manager: nothing slips out of it.

A process that clears its environment loses our mark, and one that forks twice its parents,
but no process leaves its control group.
"""

import logging
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from punktfunk.dbus import Bus, BusError, session_bus_address
from punktfunk.errors import LeftAlone
from punktfunk.model.plugins import Effect

log = logging.getLogger(__name__)

SCOPE = "scope"
"""Kind of the effect."""
GATE = ("/bin/sh", "-c", 'read -r _ || exit 1; exec "$@" </dev/null', "sh")
"""Runs what follows once it is told to on standard input: it shall be in the scope by then."""

_NAME, _PATH = "org.freedesktop.systemd1", "/org/freedesktop/systemd1"
_MANAGER = "org.freedesktop.systemd1.Manager"
_NO_SUCH_UNIT = "org.freedesktop.systemd1.NoSuchUnit"
_LIMIT_S = 1.0
_GONE_S = 2.0
_CLOSE_S = 2.0
_POLL_S = 0.02
_STOP_USEC = 1_500_000


def manager_runs(environment: Mapping[str, str]) -> bool:
    """Whether the user whose session this is has a systemd of his own. Asks nobody."""
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    return bool(runtime) and Path(runtime, "systemd").is_dir()


class AppScope:
    """A scope for one program.

    Args:
        name: Unique; part of the unit's.
        environment: The session variables of the user who runs the host.
    """

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._unit = f"app-punktfunk-{name}.scope"
        self._description = f"App streamed by punktfunk ({name})"
        self._cgroup: Path | None = None
        self._may_exist = False
        self._thread: threading.Thread | None = None
        address = session_bus_address(environment)
        self.effect = Effect(
            kind=SCOPE,
            data={"unit": self._unit, "description": self._description, "bus": address},
            until_reboot=True,
        )

    def take(self, pid: int, gate: int) -> None:
        """Move a process in, in a thread of its own, and open its gate whatever comes of it.

        Args:
            gate: Writing end of what the process reads; closed here.
        """
        self._thread = threading.Thread(
            target=self._take, args=(pid, gate), name="app scope", daemon=True
        )
        self._thread.start()

    def is_populated(self) -> bool:
        """Whether a process is known to be in it."""
        return self._cgroup is not None and bool(processes_in(self._cgroup))

    def close(self) -> bool:
        """Stop it. True when it is gone; safe to call twice."""
        if self._thread is not None:
            self._thread.join(_CLOSE_S)
        if not self._may_exist:
            return True
        try:
            return undo_scope(self.effect)
        except (BusError, LeftAlone) as error:
            log.info("the app's scope is left for later: %s", error)
            return False

    def _take(self, pid: int, gate: int) -> None:
        try:
            self._cgroup = self._start(pid)
        except BusError as error:
            if error.name:
                self._may_exist = False
            log.info("the app has no systemd scope, its processes are known by a mark: %s", error)
        finally:
            try:
                os.write(gate, b"\n")
            except OSError:  # it was ended meanwhile
                log.debug("the app has ended before it began")
            os.close(gate)

    def _start(self, pid: int) -> Path | None:
        bus = Bus.session(self._environment)
        try:
            bus.call(_NAME, _PATH, _MANAGER, "Subscribe", timeout_s=_LIMIT_S)
            with bus.signals(path=_PATH, interface=_MANAGER, member="JobRemoved") as removed:
                self._may_exist = True
                (job,) = bus.call(
                    _NAME,
                    _PATH,
                    _MANAGER,
                    "StartTransientUnit",
                    "ssa(sv)a(sa(ss))",
                    self._unit,
                    "fail",
                    [
                        ("Description", ("s", self._description)),
                        ("PIDs", ("au", [pid])),
                        ("TimeoutStopUSec", ("t", _STOP_USEC)),
                        ("CollectMode", ("s", "inactive-or-failed")),
                    ],
                    [],
                    timeout_s=_LIMIT_S,
                )
                deadline = time.monotonic() + _LIMIT_S
                while (left_s := deadline - time.monotonic()) > 0:
                    told = removed.wait(left_s)
                    if told is not None and told[1] == job:
                        if told[3] != "done":
                            raise BusError(f"its job ended with: {told[3]}")
                        return _cgroup_of(bus, self._unit)
            raise BusError(f"it was not there within {_LIMIT_S:g} s")
        finally:
            bus.close()


def undo_scope(effect: Effect) -> bool:
    """Stop the unit, if it is still there and still ours.

    Raises:
        LeftAlone: a unit of that name is somebody else's.
        BusError: the user's manager cannot be asked.
    """
    unit = str(effect.data["unit"])
    bus = Bus(str(effect.data["bus"]))
    try:
        try:
            _stop(bus, unit, str(effect.data["description"]))
        except BusError:
            if _find(bus, unit) is not None:  # else it ended while it was asked for
                raise
        deadline = time.monotonic() + _GONE_S
        while _find(bus, unit) is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return True
    finally:
        bus.close()


def _stop(bus: Bus, unit: str, description: str) -> None:
    path = _find(bus, unit)
    if path is None:
        return
    if bus.get(_NAME, path, "org.freedesktop.systemd1.Unit", "Description") != description:
        raise LeftAlone(f"{unit} is not what we had started")
    bus.call(_NAME, _PATH, _MANAGER, "StopUnit", "ss", unit, "replace", timeout_s=_LIMIT_S)


def processes_in(cgroup: Path) -> list[int]:
    """Processes of a control group and of those below it; none when it is gone."""
    found: list[int] = []
    try:
        for file in cgroup.glob("**/cgroup.procs"):
            found += [int(line) for line in file.read_text().split()]
    except OSError:  # it went while we looked
        return found
    return found


def _find(bus: Bus, unit: str) -> str | None:
    try:
        (path,) = bus.call(_NAME, _PATH, _MANAGER, "GetUnit", "s", unit, timeout_s=_LIMIT_S)
    except BusError as error:
        if error.name == _NO_SUCH_UNIT:
            return None
        raise
    return str(path)


def _cgroup_of(bus: Bus, unit: str) -> Path | None:
    path = _find(bus, unit)
    if path is None:
        return None
    group = bus.get(_NAME, path, "org.freedesktop.systemd1.Scope", "ControlGroup")
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[fields.index("-") + 1] == "cgroup2":
            return Path(fields[4] + str(group))
    return None
