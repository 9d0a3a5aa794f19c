"""What holds for every test."""

import logging
import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def logging_stays() -> Iterator[None]:
    """A command run in this process sets up the log of the process; the next test has its own."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    for handler in [it for it in root.handlers if it not in handlers]:
        root.removeHandler(handler)


@pytest.fixture(autouse=True)
def priority_stays() -> Iterator[None]:
    """As root, SVT-AV1 takes the highest real-time priority, and children would inherit it."""
    yield
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
