"""One UDP socket of a stream, and where its client is."""

import socket

from punktfunk.gamestream.endpoint import Address, EndpointLearner
from punktfunk.session.sender import packet_info

_MAX_DATAGRAMS_AT_ONCE = 64
_MAX_DATAGRAM_BYTES = 2_048


class Endpoint:
    """Receives pings, remembers the address they prove, sends there.

    `address` is written by the control thread and read by the sending ones.

    Attributes:
        source: Local address to send from, the one the client knows us by. None for a
            socket that is bound to it anyway.
    """

    def __init__(
        self, sock: socket.socket, learner: EndpointLearner, source: str | None = None
    ) -> None:
        self.sock = sock
        self.source = source
        self.rejected = 0
        self._learner = learner

    @property
    def address(self) -> Address | None:
        return self._learner.address

    def allow_ip(self, ip: str) -> None:
        self._learner.allow_ip(ip)

    def drain(self) -> bool:
        """Take what has arrived, up to a limit; return whether a ping was among it."""
        pinged = False
        for _ in range(_MAX_DATAGRAMS_AT_ONCE):
            try:
                data, address = self.sock.recvfrom(_MAX_DATAGRAM_BYTES)
            except BlockingIOError:
                break
            except OSError:
                continue  # an ICMP error of an earlier send
            if self._learner.on_datagram(data, address):
                pinged = True
            else:
                self.rejected += 1
        return pinged

    def send(self, datagram: bytes) -> bool:
        """Send to the client if its address is known. Losing one is not an error."""
        address = self.address
        if address is None:
            return False
        try:
            self.sock.sendmsg([datagram], packet_info(self.sock, self.source), 0, address)
        except OSError:
            return False
        return True
