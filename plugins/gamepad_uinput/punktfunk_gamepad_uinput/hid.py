"""What a HID pad is, apart from the bytes around it: its model."""

from collections.abc import Sequence
from typing import Protocol

import attrs

from punktfunk.plugin import Feedback
from punktfunk_gamepad_uinput.held import Held
from punktfunk_gamepad_uinput.uhid import HidDevice


@attrs.frozen(kw_only=True)
class Response:
    """What comes of a report that a program, or the kernel, sends to the pad.

    Attributes:
        reports: The pad's answers.
        feedback: For the client.
    """

    reports: Sequence[bytes] = ()
    feedback: Sequence[Feedback] = ()


class HidModel(Protocol):
    """One pad's knowledge of its own language. No I/O, no clock.

    Attributes:
        device: What it says of itself.
        period_ms: How often it reports although nothing has changed; None for never.
    """

    @property
    def device(self) -> HidDevice: ...

    @property
    def period_ms(self) -> int | None: ...

    def report(self, held: Held, now_ns: int) -> bytes:
        """What the hands do, as an input report."""

    def feature(self, number: int) -> bytes | None:
        """A feature report; None for one that it has not."""

    def on_output(self, data: bytes, held: Held) -> Response:
        """A report has come. What makes no sense is ignored."""

    def greeting(self) -> Sequence[Feedback]:
        """What a client that is new, or back, must be told."""


def item(prefix: int, value: int = 0, size: int = 1) -> bytes:
    """Pack one item of a report descriptor: its prefix without the size, and its value."""
    code = {0: 0, 1: 1, 2: 2, 4: 3}[size]
    return bytes([prefix | code]) + value.to_bytes(size, "little")


def usage_page(number: int) -> bytes:
    return item(0x04, number, 1 if number < 0x100 else 2)


def fields(kind: int, flags: int, *, count: int, bits: int, most: int) -> bytes:
    """So many fields of so many bits from 0 to `most`. Kinds: INPUT, OUTPUT, FEATURE."""
    size = 1 if most < 0x80 else 2
    return (item(0x14, 0) + item(0x24, most, size) + item(0x74, bits) + item(0x94, count)) + item(
        kind, flags
    )


def opaque(report: int, kind: int, count: int) -> bytes:
    """A report of bytes that the descriptor does not explain."""
    return (
        usage_page(0xFF00)
        + item(0x84, report)
        + item(0x08, 0x20 + report % 0xC0)
        + fields(kind, DATA, count=count, bits=8, most=255)
    )


INPUT, OUTPUT, FEATURE = 0x80, 0x90, 0xB0
DATA, NULL_STATE = 0x02, 0x42
APPLICATION = item(0xA0, 0x01)
END = item(0xC0, size=0)
GAME_PAD = usage_page(0x01) + item(0x08, 0x05) + APPLICATION
