"""A lossy path between client and host on loopback: TCP as it is, UDP with seeded random loss.

The client talks to `--listen`, the host at `--host` sees `--source` (the same address for TCP and
UDP, because it checks that the two match). Standard input takes JSON lines (`stats`, `loss`,
`blackout`, `datagrams`), standard output answers; end of input ends the relay.
"""

import argparse
import errno
import json
import random
import selectors
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

MEDIA = ("video", "control", "audio")
BURST = 64
SOCKET_BUFFER_BYTES = 4 << 20
TCP_CHUNK_BYTES = 1 << 16
TCP_PENDING_BYTES = 1 << 20
MAX_PEERS = 16
KEPT_DATAGRAMS = 64
SO_RCVBUFFORCE = 33


class Loss:
    """One direction of one port: how many datagrams came, went and were dropped."""

    def __init__(self, name: str, percent: float, seed: int) -> None:
        self.name = name
        self.percent = percent
        self._random = random.Random(f"{seed}:{name}")
        self.received = self.forwarded = self.dropped = self.failed = self.bytes = 0
        self.dropped_at: list[int] = []
        self.first_datagrams: list[bytes] = []

    def drops(self, data: bytes, blackout: bool) -> bool:
        """Decide on the next datagram. The random sequence depends on seed and name alone."""
        self.received += 1
        self.bytes += len(data)
        if len(self.first_datagrams) < KEPT_DATAGRAMS:
            self.first_datagrams.append(data)
        hit = self._random.random() * 100 < self.percent
        if hit or blackout:
            self.dropped += 1
            if len(self.dropped_at) < 1_000:
                self.dropped_at.append(self.received - 1)
            return True
        return False

    def report(self) -> dict[str, Any]:
        return {
            "percent": self.percent,
            "received": self.received,
            "bytes": self.bytes,
            "forwarded": self.forwarded,
            "dropped": self.dropped,
            "send_failures": self.failed,
            "dropped_at": self.dropped_at,
        }


class Relay:
    """All sockets on one selector, one thread, no sleeping."""

    def __init__(self, listen: str, host: str, source: str, seed: int) -> None:
        self._listen, self._host, self._source, self._seed = listen, host, source, seed
        self._selector = selectors.DefaultSelector()
        self._losses: dict[str, Loss] = {}
        self._datagram_sockets: list[socket.socket] = []
        self._blackout_until = 0.0
        self._tcp_connections = 0
        self._tcp_refused = 0

    def add_tcp(self, port: int, host_port: int) -> int:
        listener = socket.create_server((self._listen, port), backlog=32)
        listener.setblocking(False)
        self._selector.register(
            listener, selectors.EVENT_READ, lambda _mask: self._accept(listener, host_port)
        )
        return int(listener.getsockname()[1])

    def add_udp(self, name: str, port: int, host_port: int, percent: float) -> int:
        for direction in ("up", "down"):
            key = f"{name}:{direction}"
            self._losses[key] = Loss(key, percent, self._seed)
        front = self._datagram_socket(self._listen, port)
        upstream: dict[Any, socket.socket] = {}
        self._selector.register(
            front,
            selectors.EVENT_READ,
            lambda _mask: self._from_client(front, name, host_port, upstream),
        )
        return int(front.getsockname()[1])

    def set_loss(self, rules: list[str]) -> None:
        """Rules as `NAME:up|down|both=PERCENT`; NAME `all` means every port. Raises ValueError."""
        for rule in rules:
            target, _, percent = rule.partition("=")
            name, _, direction = target.partition(":")
            directions = ("up", "down") if direction in ("", "both") else (direction,)
            names = {key.partition(":")[0] for key in self._losses} if name == "all" else {name}
            for each in names:
                for way in directions:
                    if f"{each}:{way}" not in self._losses:
                        raise ValueError(f"no flow {each}:{way}; there are {sorted(self._losses)}")
                    self._losses[f"{each}:{way}"].percent = float(percent)

    def blackout(self, duration_ms: float) -> None:
        self._blackout_until = time.monotonic() + duration_ms / 1000

    def report(self) -> dict[str, Any]:
        return {
            "flows": {name: loss.report() for name, loss in self._losses.items()},
            "kernel_drops": _kernel_drops(self._datagram_sockets),
            "tcp_connections": self._tcp_connections,
            "tcp_refused": self._tcp_refused,
        }

    def datagrams(self, flow: str) -> list[str]:
        """The first datagrams of `NAME:up` or `NAME:down`, in hexadecimal. Raises KeyError."""
        return [data.hex() for data in self._losses[flow].first_datagrams]

    def watch_input(self, handle: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        buffer = bytearray()
        stdin = sys.stdin.buffer.raw

        def readable(_mask: int) -> None:
            data = stdin.read(65_536)
            if not data:
                ended()
                return
            buffer.extend(data)
            while b"\n" in buffer:
                line, _, rest = bytes(buffer).partition(b"\n")
                buffer[:] = rest
                handle(line)

        self._selector.register(stdin, selectors.EVENT_READ, readable)

    def run_once(self, timeout_s: float) -> None:
        for key, mask in self._selector.select(timeout_s):
            now = self._selector.get_map().get(key.fd)
            if now is not None and now.fileobj is key.fileobj:  # not closed by one before it
                key.data(mask)

    # --- UDP --------------------------------------------------------------------------------

    def _from_client(
        self,
        front: socket.socket,
        name: str,
        host_port: int,
        upstream: dict[Any, socket.socket],
    ) -> None:
        loss = self._losses[f"{name}:up"]
        for data, peer in _burst(front):
            back = upstream.get(peer)
            if back is None:
                if len(upstream) >= MAX_PEERS:
                    continue
                back = self._datagram_socket(self._source, 0)
                back.connect((self._host, host_port))
                upstream[peer] = back
                self._selector.register(
                    back,
                    selectors.EVENT_READ,
                    lambda _mask, back=back, peer=peer: self._from_host(front, name, back, peer),
                )
            if not loss.drops(data, self._dark()):
                _pass_on(loss, back.send, data)

    def _from_host(self, front: socket.socket, name: str, back: socket.socket, peer: Any) -> None:
        loss = self._losses[f"{name}:down"]
        for data, _sender in _burst(back):
            if not loss.drops(data, self._dark()):
                _pass_on(loss, front.sendto, data, peer)

    def _dark(self) -> bool:
        return self._blackout_until > 0 and time.monotonic() < self._blackout_until

    def _datagram_socket(self, address: str, port: int) -> socket.socket:
        made = socket.socket(_family(address), socket.SOCK_DGRAM)
        try:
            made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER_BYTES)
        except PermissionError:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER_BYTES)
        made.bind((address, port))
        made.setblocking(False)
        self._datagram_sockets.append(made)
        return made

    # --- TCP --------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket, host_port: int) -> None:
        client, _peer = listener.accept()
        self._tcp_connections += 1
        try:
            host = socket.create_connection(
                (self._host, host_port), timeout=2, source_address=(self._source, 0)
            )
        except OSError:
            self._tcp_refused += 1
            client.close()
            return
        pipes = _Pipe(client), _Pipe(host)
        pipes[0].other, pipes[1].other = pipes[1], pipes[0]
        for pipe in pipes:
            pipe.socket.setblocking(False)
            pipe.register(self._selector)


class _Pipe:
    """One end of a relayed TCP connection; half-closing passes through, as RTSP needs it."""

    other: "_Pipe"

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.pending = bytearray()  # waits to be written to this end
        self.read_ended = False
        self.write_ended = False
        self.closed = False

    def register(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._mask = selectors.EVENT_READ
        selector.register(self.socket, self._mask, self._ready)

    def _ready(self, mask: int) -> None:
        try:
            if mask & selectors.EVENT_READ:
                self._read()
            if mask & selectors.EVENT_WRITE:
                self._write()
        except BlockingIOError:
            return
        except OSError:
            self._close_both()
            return
        for pipe in (self, self.other):
            pipe._refresh()
        if all(pipe.read_ended and not pipe.pending for pipe in (self, self.other)):
            self._close_both()

    def _read(self) -> None:
        data = self.socket.recv(TCP_CHUNK_BYTES)
        if data:
            self.other.pending += data
        else:
            self.read_ended = True
        self.other._write()

    def _write(self) -> None:
        with suppress(BlockingIOError):
            while self.pending:
                del self.pending[: self.socket.send(self.pending)]
        if self.other.read_ended and not self.pending and not self.write_ended:
            self.write_ended = True
            self.socket.shutdown(socket.SHUT_WR)

    def _refresh(self) -> None:
        if self.closed:
            return
        mask = 0
        if not self.read_ended and len(self.other.pending) < TCP_PENDING_BYTES:
            mask |= selectors.EVENT_READ
        if self.pending:
            mask |= selectors.EVENT_WRITE
        if mask == self._mask:
            return
        if not mask:
            self._selector.unregister(self.socket)
        elif not self._mask:
            self._selector.register(self.socket, mask, self._ready)
        else:
            self._selector.modify(self.socket, mask, self._ready)
        self._mask = mask

    def _close_both(self) -> None:
        for pipe in (self, self.other):
            if not pipe.closed:
                pipe.closed = True
                if pipe._mask:
                    pipe._selector.unregister(pipe.socket)
                pipe.socket.close()


def _burst(source: socket.socket) -> list[tuple[bytes, Any]]:
    datagrams = []
    for _ in range(BURST):
        try:
            datagrams.append(source.recvfrom(65_536))
        except BlockingIOError:
            break
        except ConnectionError:
            continue  # an ICMP "port unreachable" of an earlier datagram
    return datagrams


def _pass_on(loss: Loss, send: Callable[..., int], *arguments: Any) -> None:
    try:
        send(*arguments)
        loss.forwarded += 1
    except OSError as error:
        if error.errno not in (errno.ECONNREFUSED, errno.EAGAIN, errno.ENOBUFS, errno.EPERM):
            raise
        loss.failed += 1


def _kernel_drops(sockets: list[socket.socket]) -> int:
    """Datagrams that the kernel threw away before the relay read them."""
    inodes = {str(Path(f"/proc/self/fd/{each.fileno()}").stat().st_ino) for each in sockets}
    total = 0
    for table in ("/proc/net/udp", "/proc/net/udp6"):
        with suppress(FileNotFoundError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[9] in inodes:
                    total += int(fields[-1])
    return total


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _ports(base: int, sessions: int) -> tuple[list[int], list[tuple[str, int]]]:
    """TCP ports and named UDP ports of a host with this base port."""
    tcp = [base, base - 5, base + 21]
    udp = [("video", base + 9), ("control", base + 10), ("audio", base + 11)]
    for index in range(1, sessions):
        first = base + 100 + 4 * index
        udp += [(f"{name}{index}", first + place) for place, name in enumerate(MEDIA)]
    return tcp, udp


def main() -> None:
    """Build the relay from the options and serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", default="127.0.0.3")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--source", help="local address towards the host (default: --listen)")
    parser.add_argument("--base-port", type=int, help="relay every port of this base")
    parser.add_argument("--sessions", type=int, default=1, help="how many sessions' media ports")
    parser.add_argument("--tcp", action="append", default=[], metavar="PORT[:HOSTPORT]")
    parser.add_argument("--udp", action="append", default=[], metavar="NAME=PORT[:HOSTPORT]")
    parser.add_argument("--loss-percent", type=float, default=0.0, help="every UDP flow")
    parser.add_argument("--loss", action="append", default=[], metavar="NAME:DIRECTION=PERCENT")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    relay = Relay(options.listen, options.host, options.source or options.listen, options.seed)
    tcp = [_pair(text) for text in options.tcp]
    udp = [(name, _pair(ports)) for name, _, ports in (text.partition("=") for text in options.udp)]
    if options.base_port:
        tcp_ports, udp_ports = _ports(options.base_port, options.sessions)
        tcp += [(port, port) for port in tcp_ports]
        udp += [(name, (port, port)) for name, port in udp_ports]
    tcp_bound = {host_port: relay.add_tcp(port, host_port) for port, host_port in tcp}
    udp_bound = {
        name: relay.add_udp(name, port, host_port, options.loss_percent)
        for name, (port, host_port) in udp
    }
    relay.set_loss(options.loss)
    running = True

    def emit(line: dict[str, Any]) -> None:
        print(json.dumps(line), flush=True)

    def handle(line: bytes) -> None:
        identifier = None
        result: Any = None
        try:
            request = json.loads(line)
            identifier = request["id"]
            if request["cmd"] == "datagrams":
                result = {"datagrams": relay.datagrams(request["flow"])}
            elif request["cmd"] == "loss":
                relay.set_loss(request["rules"])
            elif request["cmd"] == "blackout":
                relay.blackout(float(request["duration_ms"]))
            elif request["cmd"] != "stats":
                raise ValueError(f"no such command: {request['cmd']}")
        except (ValueError, KeyError, TypeError) as error:
            report = {"kind": "request", "stage": "relay", "message": repr(error), "code": None}
            emit({"id": identifier, "ok": False, "error": report})
            return
        emit({"id": identifier, "ok": True, "result": result or relay.report()})

    def ended() -> None:
        nonlocal running
        running = False

    relay.watch_input(handle, ended)
    emit({"event": "ready", "listen": options.listen, "tcp": tcp_bound, "udp": udp_bound})
    while running:
        relay.run_once(timeout_s=1.0)


def _pair(text: str) -> tuple[int, int]:
    port, _, host_port = text.partition(":")
    return int(port), int(host_port or port)


if __name__ == "__main__":
    main()
