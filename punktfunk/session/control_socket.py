"""A stream's control connection on the session's control socket: moves bytes, decides nothing."""

import contextlib
import socket
import time
from collections.abc import Callable

from punktfunk.session.control import ControlPlane
from punktfunk.session.sender import packet_info

_GOODBYE_NS = 200_000_000
_GOODBYE_STEP_S = 0.005
_MAX_DATAGRAMS_AT_ONCE = 64
_MAX_DATAGRAM_BYTES = 2_048


def receive(sock: socket.socket, control: ControlPlane) -> None:
    """Take what has arrived, up to a limit."""
    for _ in range(_MAX_DATAGRAMS_AT_ONCE):
        try:
            data, address = sock.recvfrom(_MAX_DATAGRAM_BYTES)
        except BlockingIOError:
            return
        except OSError:
            continue  # an ICMP error of an earlier send
        control.receive(data, address, time.monotonic_ns())


def flush(sock: socket.socket, control: ControlPlane, now_ns: int) -> None:
    """Send what is due."""
    ancillary = packet_info(sock, control.local_ip)
    for datagram, address in control.outgoing(now_ns):
        assert isinstance(address, tuple)
        with contextlib.suppress(OSError):  # lost like any datagram; ENet sends it again
            sock.sendmsg([datagram], ancillary, 0, address)


def say_goodbye(sock: socket.socket, control: ControlPlane, meanwhile: Callable[[], None]) -> None:
    """Termination first, and time to arrive; a bare disconnect looks like an error.

    Blocks, at most 200 ms; `meanwhile` is called every few of them.
    docs/protocol/gamestream.md, section 7.5.
    """
    deadline_ns = time.monotonic_ns() + _GOODBYE_NS
    control.terminate()
    control.poll(time.monotonic_ns())
    while not control.silent and (now_ns := time.monotonic_ns()) < deadline_ns:
        flush(sock, control, now_ns)
        meanwhile()
        time.sleep(_GOODBYE_STEP_S)
        receive(sock, control)
    control.disconnect()
    flush(sock, control, time.monotonic_ns())
