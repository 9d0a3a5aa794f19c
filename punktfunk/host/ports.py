"""Which port is for what. All of a host's ports for clients move with its base port."""

import socket

import attrs

from punktfunk.errors import Refused
from punktfunk.model.stream import StreamPorts
from punktfunk.session.stream import MediaSockets

_HTTPS, _VIDEO, _CONTROL, _AUDIO, _RTSP = -5, 9, 10, 11, 21
_FURTHER_SESSIONS, _PORTS_A_SESSION = 100, 4
_SEND_BUFFER_BYTES = 2 << 20


@attrs.frozen
class Ports:
    """docs/protocol/gamestream.md, section 1.1."""

    base: int

    @property
    def http(self) -> int:
        return self.base

    @property
    def https(self) -> int:
        return self.base + _HTTPS

    @property
    def rtsp(self) -> int:
        return self.base + _RTSP

    def media(self, slot: int) -> StreamPorts:
        """Of the session in this slot. The first has the ports people open in firewalls."""
        if slot == 0:
            return StreamPorts(
                video=self.base + _VIDEO, control=self.base + _CONTROL, audio=self.base + _AUDIO
            )
        first = self.base + _FURTHER_SESSIONS + _PORTS_A_SESSION * slot
        return StreamPorts(video=first, control=first + 1, audio=first + 2)


def bind_media(address: str, ports: StreamPorts) -> MediaSockets:
    """Bind a session's three UDP sockets; an empty address means all, IPv4 and IPv6.

    Raises:
        Refused: a port is taken; status 503.
    """
    bound: list[socket.socket] = []
    try:
        for port in (ports.video, ports.control, ports.audio):
            bound.append(_bind(address, port))
    except OSError as error:
        for sock in bound:
            sock.close()
        raise Refused(f"UDP port {port} is taken: {error.strerror}", status=503) from error
    return MediaSockets(*bound)


def _bind(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if not address or ":" in address else socket.AF_INET
    try:
        sock = socket.socket(family, socket.SOCK_DGRAM)
    except OSError:  # a kernel without IPv6
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, bool(address))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        sock.setblocking(False)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock
