"""What a worker process does to itself before anything else."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_PR_SET_TIMERSLACK, _PR_SET_CHILD_SUBREAPER = 29, 36
_SWITCH_INTERVAL_S = 0.0005


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
    signal.signal(signal.SIGINT, signal.SIG_IGN)
