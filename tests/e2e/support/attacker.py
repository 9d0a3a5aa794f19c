"""What somebody on the network can do to a host: raw bytes, from any address of this machine."""

import http.client
import secrets
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self
from xml.etree import ElementTree

from host_process import HostProcess

STRANGER = "127.0.0.66"
"""An address that no client of a test has."""

HTTP, HTTPS, RTSP = 0, -5, 21
VIDEO, CONTROL, AUDIO = 9, 10, 11

_FILLED = 1 << 20


class Datagrams:
    """A UDP socket that counts what it spends and what it gets for that."""

    def __init__(self, source: str = STRANGER) -> None:
        self.sent_bytes = self.received_bytes = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((source, 0))
        self._socket.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._socket.close()

    def send(self, port: int, data: bytes) -> None:
        with suppress(BlockingIOError, ConnectionError):
            self.sent_bytes += self._socket.sendto(data, ("127.0.0.1", port))

    def collect(self, seconds: float = 0) -> list[bytes]:
        """What has come by then; counted."""
        until = time.monotonic() + seconds
        found = []
        while True:
            try:
                found.append(self._socket.recv(65_536))
                self.received_bytes += len(found[-1])
            except BlockingIOError:
                if time.monotonic() >= until:
                    return found
                time.sleep(0.005)
            except ConnectionError:
                continue


def connect(port: int, source: str = STRANGER, timeout_s: float = 5) -> socket.socket:
    """Raises OSError where the host will not have us."""
    return socket.create_connection(("127.0.0.1", port), timeout_s, source_address=(source, 0))


def exchange(port: int, data: bytes, source: str = STRANGER, timeout_s: float = 5) -> bytes:
    """Send it all, or as much as is taken; what is answered until the host closes."""
    answer = b""
    with suppress(OSError), connect(port, source, timeout_s) as stream:
        with suppress(ConnectionError):
            stream.sendall(data)
        while part := stream.recv(65_536):
            answer += part
            assert len(answer) < _FILLED
    return answer


@contextmanager
def crowd(port: int, count: int, sources: list[str], first_bytes: bytes) -> Iterator[int]:
    """So many connections that begin and do not go on; gives how many were taken."""
    with ExitStack() as stack:
        taken = 0
        for number in range(count):
            with suppress(OSError):
                stream = connect(port, sources[number % len(sources)], 2)
                stack.callback(stream.close)
                if first_bytes:
                    stream.sendall(first_bytes)
                taken += 1
        yield taken


def https(
    host: HostProcess,
    identity: Path | None,
    target: str,
    *,
    source: str = "127.0.0.1",
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
) -> tuple[int, str]:
    """One request to nvhttp inside TLS; the XML's status and the whole text."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if identity is not None:
        context.load_cert_chain(identity / "cert.pem", identity / "key.pem")
    connection = http.client.HTTPSConnection(
        "127.0.0.1",
        host.base_port + HTTPS,
        timeout=10,
        context=context,
        source_address=(source, 0),
    )
    try:
        connection.request(method, f"/{target}", headers=dict(headers or {}))
        answer = connection.getresponse()
        assert answer.status == 200
        text = answer.read().decode("utf-8", "replace")
    finally:
        connection.close()
    return xml_status(text), text


def plain(host: HostProcess, target: str, source: str = STRANGER) -> tuple[int, str]:
    """One request to plain nvhttp; the XML's status and the whole text."""
    request = f"GET /{target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    answer = exchange(host.base_port, request, source, 10)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), answer[:100]
    return xml_status(body.decode()), body.decode()


def management(
    host: HostProcess, method: str, target: str, headers: Mapping[str, str], body: str = ""
) -> tuple[int, str]:
    """One request to the management API with exactly these headers; status and text."""
    connection = http.client.HTTPConnection("127.0.0.1", host.mgmt_port, timeout=5)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body.encode() or None)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def xml_status(text: str) -> int:
    return int(ElementTree.fromstring(text).get("status_code", "0"))


class RawSession:
    """A launch of a paired client whose keys the test knows, and its plain RTSP."""

    def __init__(self, host: HostProcess, identity: Path, app: str = "Test pattern") -> None:
        self._host = host
        self._cseq = 0
        self._token = ""
        self.key = secrets.token_bytes(16)
        self.ping_payload = b""
        self.connect_data = 0
        self.ports: dict[str, int] = {}
        _, apps = https(host, identity, "applist")
        app_id = next(
            listed.findtext("ID")
            for listed in ElementTree.fromstring(apps).iter("App")
            if listed.findtext("AppTitle") == app
        )
        query = f"appid={app_id}&mode=640x360x30&rikey={self.key.hex()}&rikeyid=7&corever=0"
        status, text = https(host, identity, f"launch?{query}")
        assert status == 200, text

    def request(
        self,
        method: str,
        target: str,
        body: str = "",
        source: str = "127.0.0.1",
        session: bool = True,
    ) -> tuple[int, str, dict[str, str]]:
        """One RTSP request; status, reason and headers."""
        self._cseq += 1
        lines = [f"{method} {target} RTSP/1.0", f"CSeq: {self._cseq}", "Host: 127.0.0.1"]
        if session and self._token:
            lines.append(f"Session: {self._token}")
        if body:
            lines.append(f"Content-length: {len(body)}")
        data = "\r\n".join((*lines, "", body)).encode()
        return read_rtsp(exchange(self._host.base_port + RTSP, data, source, 10))

    def set_up(self) -> None:
        """Everything up to, and without, ANNOUNCE."""
        self._must("OPTIONS", "rtsp://127.0.0.1")
        self._must("DESCRIBE", "rtsp://127.0.0.1")
        for stream in ("audio", "video", "control"):
            headers = self._must("SETUP", f"streamid={stream}/0/0")
            self._token = headers["session"].partition(";")[0]
            self.ports[stream] = int(headers["transport"].partition("=")[2])
            if stream == "control":
                self.connect_data = int(headers["x-ss-connect-data"])
            else:
                self.ping_payload = headers["x-ss-ping-payload"].encode()

    def announce(self, encryption: int) -> tuple[int, str]:
        """Ask for a small stream with these encryption flags; status and reason."""
        wanted: dict[str, Any] = {
            "x-nv-video[0].clientViewportWd": 640,
            "x-nv-video[0].clientViewportHt": 360,
            "x-nv-video[0].maxFPS": 30,
            "x-nv-video[0].packetSize": 1_024,
            "x-nv-vqos[0].bw.maximumBitrateKbps": 2_000,
            "x-nv-general.useReliableUdp": 13,
            "x-ss-general.encryptionEnabled": encryption,
            "x-ml-general.featureFlags": 3,
        }
        body = "".join(f"a={name}:{value} \r\n" for name, value in wanted.items())
        status, reason, _ = self.request("ANNOUNCE", "streamid=control/13/0", body)
        return status, reason

    def play(self) -> None:
        self._must("PLAY", "/")

    def _must(self, method: str, target: str) -> dict[str, str]:
        status, reason, headers = self.request(method, target)
        assert status == 200, f"{method} {target}: {status} {reason}"
        return headers


def read_rtsp(answer: bytes) -> tuple[int, str, dict[str, str]]:
    """Status, reason and headers; 0 for no answer at all."""
    if not answer:
        return 0, "", {}
    first, *lines = answer.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    _, status, reason = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    return int(status), reason, {name.lower(): value.strip() for name, _, value in pairs}
