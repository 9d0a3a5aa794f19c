"""What the kernel has made of our pads, and a witness for each."""

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

WITNESS = Path(__file__).parent / "witness.py"
WAIT_S = 60.0


@attrs.frozen
class InputDevice:
    name: str
    phys: str
    uniq: str
    node: str
    sysfs: Path


def input_devices() -> list[InputDevice]:
    found = []
    for block in Path("/proc/bus/input/devices").read_text().split("\n\n"):
        fields = dict(line[3:].split("=", 1) for line in block.splitlines() if line[:1] in "NPSUH")
        if not fields:
            continue
        handlers = fields["Handlers"].split()
        node = next((it for it in handlers if it.startswith("event")), "")
        sysfs = Path("/sys" + fields["Sysfs"])
        name = fields["Name"].strip('"')
        found.append(InputDevice(name, fields["Phys"], fields["Uniq"].lower(), node, sysfs))
    return found


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + WAIT_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.02)
    return found


def device(name: str) -> InputDevice:
    """The one of that name, once it is there."""

    def look() -> list[InputDevice]:
        return [
            it for it in input_devices() if it.name == name and Path("/dev/input", it.node).exists()
        ]

    (found,) = wait_for(look, f"{name}, not {[it.name for it in input_devices()]}")
    return found


class Witness:
    """A process that has the device open, see `witness.py`.

    Attributes:
        events: All that came, `(type, code, value)`.
    """

    def __init__(self, it: InputDevice) -> None:
        self.events: list[tuple[int, int, int]] = []
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(WITNESS), f"/dev/input/{it.node}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        assert self._answers.get(timeout=WAIT_S) == {"open": True}

    def ask(self, call: str, *arguments: int) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([call, *arguments]) + "\n")
        self._process.stdin.flush()
        return self._answers.get(timeout=WAIT_S)

    def state(self) -> tuple[set[int], dict[int, list[int]]]:
        """Pressed keys; by axis its value, range and so on."""
        told = self.ask("state")
        return set(told["keys"]), {int(code): it for code, it in told["axes"].items()}

    def sees(self, *event: int) -> None:
        """Wait until this event has come."""
        wait_for(lambda: event in self.events, f"{event} in {self.events}")

    def sees_the_end(self) -> None:
        assert self._answers.get(timeout=WAIT_S) == {"gone": True}

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(WAIT_S)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            if isinstance(told, list):
                self.events.append((told[0], told[1], told[2]))
            else:
                self._answers.put(told)
