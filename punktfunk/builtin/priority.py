"""Libraries that give themselves the highest priority, as SVT-AV1 does when it runs as root.

Its threads would go before everything else on the machine, the sound and the network included.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_TASKS = Path("/proc/self/task")


@contextlib.contextmanager
def ordinary_priority() -> Iterator[None]:
    """Whatever is done in this, the calling thread has the priority it had before, and threads
    that were started and took the strictest one have an ordinary one.
    """
    policy, parameter, others = os.sched_getscheduler(0), os.sched_getparam(0), _threads()
    try:
        yield
    finally:
        if os.sched_getscheduler(0) != policy:
            os.sched_setscheduler(0, policy, parameter)
        for thread in _threads() - others:
            with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
                if os.sched_getscheduler(thread) == os.SCHED_FIFO:
                    os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))


def _threads() -> set[int]:
    return {int(entry.name) for entry in _TASKS.iterdir()}
