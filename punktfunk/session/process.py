"""What a worker process does to itself before anything else."""

import contextlib
import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_PR_SET_TIMERSLACK, _PR_SET_CHILD_SUBREAPER = 29, 36
_SWITCH_INTERVAL_S = 0.0005
_NICE = -10


def settle(parent_pid: int) -> None:
    """Die with the host, keep the keys out of core dumps, and be punctual.

    The process also adopts what its programs leave behind, so that a launcher's orphans
    end with the session.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent_pid:
        raise SystemExit("the host is gone")
    libc.prctl(_PR_SET_DUMPABLE, 0)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    libc.prctl(_PR_SET_TIMERSLACK, 1)
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    # Not SIG_IGN: programs inherit that, and Ctrl-C would be dead in every terminal we start.
    signal.signal(signal.SIGINT, lambda *_: None)


def hurry(*, short_work: bool) -> None:
    """Have the calling thread run as soon as it wakes, where the system allows that.

    Only this thread: neither threads nor programs it starts inherit anything.

    Args:
        short_work: It never computes for long, so nobody starves when it goes first always.
    """
    policy = os.SCHED_RR if short_work else os.SCHED_OTHER
    with contextlib.suppress(OSError):
        parameter = os.sched_param(1 if short_work else 0)
        os.sched_setscheduler(0, policy | os.SCHED_RESET_ON_FORK, parameter)
    if not short_work:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, _NICE)
