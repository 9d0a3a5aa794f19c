"""Drivers on device nodes that write down what is done to them."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from punktfunk_gamepad_uinput.driver import UinputGamepads
from punktfunk_gamepad_uinput.node import UHID, Node
from recording import Line, RecordingNode

from punktfunk.plugin import (
    DriverUnavailable,
    Feedback,
    PadArrival,
    PadButtons,
    PadCapabilities,
    PadType,
)
from punktfunk.testing import FakeSeat

EVERYTHING = PadCapabilities(sum(PadCapabilities))


class Silence:
    """A kernel that says nothing: a pipe that nobody writes into."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def fileno(self) -> int:
        return self._read

    def read(self, size: int) -> bytes:
        return b""

    def write(self, data: bytes) -> None:
        pass

    def ioctl(self, request: int, argument: int | bytes = 0) -> bytes:
        return b""

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)


@attrs.define
class Machine:
    """Nodes that were opened, in order, and what was done to each."""

    has_uhid: bool = True
    opened: list[tuple[str, list[Line]]] = attrs.Factory(list)

    def open_node(self, path: str) -> Node:
        if path == UHID and not self.has_uhid:
            raise DriverUnavailable("uinput", f"cannot open {path}: No such file or directory")
        lines: list[Line] = []
        self.opened.append((path, lines))
        return RecordingNode(lines, Silence())

    def calls(self, number: int) -> list[Line]:
        """What was done to the pad that was made as the so manieth."""
        pads = [lines for _, lines in self.opened if lines != [["close", 0, ""]]]
        return pads[number]

    @property
    def plugged(self) -> int:
        """Pads that were made and not unplugged."""
        pads = [lines for _, lines in self.opened if lines != [["close", 0, ""]]]
        return sum(1 for lines in pads if lines[-1][0] != "close")


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def feedback() -> list[Feedback]:
    return []


@pytest.fixture
def open_pads(
    machine: Machine, feedback: list[Feedback]
) -> Iterator[Callable[..., UinputGamepads]]:
    """`open_pads(seat="pf-1-abcd", client="5f…", **settings)`: an opened driver."""
    drivers = []

    def start(
        seat: str = "pf-1-abcd", client: str = "5f" * 32, **settings: object
    ) -> UinputGamepads:
        driver = UinputGamepads(settings, machine.open_node)
        drivers.append(driver)
        with FakeSeat(seat, client=client) as it:
            driver.open(it, feedback.append)
        return driver

    yield start
    for driver in drivers:
        driver.close()


@pytest.fixture
def arrival() -> Callable[..., PadArrival]:
    """`arrival(type, number=0, capabilities=everything, buttons=none)`."""

    def make(
        kind: PadType,
        number: int = 0,
        capabilities: PadCapabilities = EVERYTHING,
        buttons: PadButtons = PadButtons.NONE,
    ) -> PadArrival:
        return PadArrival(pad=number, type=kind, capabilities=capabilities, buttons=buttons)

    return make
