"""Device nodes that write down what is done to them, with or without a kernel behind."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from punktfunk_gamepad_uinput import uhid
from punktfunk_gamepad_uinput.node import Node

Line = list[str | int]
"""`[call, request, bytes]`, the bytes as `shorten` has them; `read`, `answer`: by the kernel."""

_MANY_ZEROS = re.compile(rb"\0{32,}")
_RUN = re.compile(r"\((\d+)\)")
_BY_THEMSELVES = tuple(uhid.report(bytes([number]) + bytes(63))[:7] for number in (0x01, 0x30))


class RecordingNode:
    """Args:
    behind: Does it as well; None answers with nothing.
    """

    def __init__(self, lines: list[Line], behind: Node) -> None:
        self._lines = lines
        self._behind = behind

    def fileno(self) -> int:
        return self._behind.fileno()

    def read(self, size: int) -> bytes:
        data = self._behind.read(size)
        if data:
            self._lines.append(["read", 0, shorten(data)])
        return data

    def write(self, data: bytes) -> None:
        self._lines.append(["write", 0, shorten(data)])
        self._behind.write(data)

    def ioctl(self, request: int, argument: int | bytes = 0) -> bytes:
        shown = shorten(argument) if isinstance(argument, bytes) else argument
        self._lines.append(["ioctl", request, shown])
        answer = self._behind.ioctl(request, argument)
        if answer and answer != argument:
            self._lines.append(["answer", request, shorten(answer)])
        return answer

    def close(self) -> None:
        self._lines.append(["close", 0, ""])
        self._behind.close()


class PlayedNode:
    """The kernel's side of a recording: it says what it said then.

    Attributes:
        waits: How many of its words were not read yet.
    """

    def __init__(self, recording: Sequence[Line]) -> None:
        self._reads = [lengthen(str(it[2])) for it in recording if it[0] == "read"]
        self._answers = [it for it in recording if it[0] == "answer"]

    @property
    def waits(self) -> int:
        return len(self._reads)

    def fileno(self) -> int:
        return -1

    def read(self, size: int) -> bytes:
        return self._reads.pop(0) if self._reads else b""

    def write(self, data: bytes) -> None:
        pass

    def ioctl(self, request: int, argument: int | bytes = 0) -> bytes:
        if self._answers and self._answers[0][1] == request:
            return lengthen(str(self._answers.pop(0)[2]))
        return b"" if isinstance(argument, int) else argument

    def close(self) -> None:
        pass


def shorten(data: bytes) -> str:
    """In hex; many zeros in a row as their number in brackets."""
    text, end = "", 0
    for run in _MANY_ZEROS.finditer(data):
        text += data[end : run.start()].hex() + f"({len(run[0])})"
        end = run.end()
    return text + data[end:].hex()


def lengthen(text: str) -> bytes:
    return bytes.fromhex(_RUN.sub(lambda run: "00" * int(run[1]), text))


def conversation(lines: Sequence[Line]) -> list[Line]:
    """Without the reports that a pad makes by itself: they tell of hands and of the time."""
    return [it for it in lines if not lengthen_line(it).startswith(_BY_THEMSELVES)]


def lengthen_line(line: Line) -> bytes:
    return lengthen(line[2]) if isinstance(line[2], str) else b""


def save(path: Path, lines: Sequence[Line]) -> None:
    path.write_text("[\n" + ",\n".join(json.dumps(line) for line in conversation(lines)) + "\n]\n")


def load(path: Path) -> list[Line]:
    lines: list[Line] = json.loads(path.read_text())
    return lines


def recorder(lines: list[Line], open_node: Callable[[str], Node]) -> Callable[[str], Node]:
    """Open nodes as `open_node` does, and write down what is done to them."""
    return lambda path: RecordingNode(lines, open_node(path))
