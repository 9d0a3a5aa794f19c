"""Following a host through breaks: it may be restarted, and the network may be away."""

import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import Any

from punktfunk.cli.ctl.asking import Ctl
from punktfunk.cli.event_stream import EventStream
from punktfunk.cli.printable import printable
from punktfunk.cli.target import NoHost
from punktfunk.errors import Refused

SILENCE_S = 45.0
"""The host says every 15 s that it is there."""
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0

_COMES_BACK = frozenset({429, 500, 502, 503, 504})

Told = Generator[dict[str, Any], None, None]
Connect = Callable[[str | None], AbstractContextManager[EventStream]]
"""Takes the token of the last event that was seen; None: from now on."""


def following(ctl: Ctl, connect: Connect, last: str | None, resume: str = "") -> Told:
    """What a stream tells, without end. What is wrong from the start is not tried again.

    Args:
        resume: The option that goes on from a token; it is told at the end where from.
    """
    wait_s, connected_once = 0.0, False
    try:
        while True:
            try:
                with connect(last) as stream:
                    connected_once, wait_s = True, 0.0
                    while True:
                        event = stream.next(SILENCE_S)
                        last = stream.last or last
                        if event is not None:
                            yield event
            except (NoHost, Refused) as error:
                if not connected_once or not _may_come_back(error):
                    raise
                wait_s = min(max(wait_s * 2, FIRST_WAIT_S), LONGEST_WAIT_S)
                ctl.remark(f"{printable(error)}; trying again in {wait_s:.0f} s")
                time.sleep(wait_s)
    finally:
        if last and resume:
            ctl.remark(f"to go on from here: {resume} {printable(last)}")


def _may_come_back(error: NoHost | Refused) -> bool:
    return isinstance(error, NoHost) or error.fields.get("status") in _COMES_BACK
