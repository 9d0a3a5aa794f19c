"""Asks a running host through its management API, with nothing but the standard library."""

import hmac
import http.client
import json
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from punktfunk.cli.event_stream import EventStream
from punktfunk.cli.target import NoHost, Target
from punktfunk.errors import Refused

CONNECT_TIMEOUT_S = 10.0
TIMEOUT_S = 30.0
_MAX_ANSWER_BYTES = 64 << 20
_API = "/api/v1"


class ApiClient:
    """A connection for each question; no state but where to ask.

    All methods raise:
        Refused: the host said no; the message is what it said, `status` is in the fields.
        NoHost: it does not answer, not as a host does, or it is not the one that was meant.
    """

    def __init__(self, target: Target) -> None:
        self._target = target

    def ask(
        self, method: str, path: str, body: object = None, *, timeout_s: float = TIMEOUT_S
    ) -> Any:
        """Ask once; return the answer's JSON, or None when it has none."""
        text = self.fetch(method, path, body, timeout_s=timeout_s)
        try:
            return json.loads(text) if text else None
        except (ValueError, RecursionError):
            raise self._no_host() from None

    def fetch(
        self, method: str, path: str, body: object = None, *, timeout_s: float = TIMEOUT_S
    ) -> bytes:
        """Ask once; return the answer as it is."""
        headers = {} if body is None else {"Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with self._asked(method, path, data, headers, timeout_s) as (_, answer), self._telling():
            return self._read(answer)

    def send(self, method: str, path: str, data: bytes, media_type: str) -> bytes:
        """Like `fetch`, with a body that is no JSON."""
        headers = {"Content-Type": media_type}
        with self._asked(method, path, data, headers, TIMEOUT_S) as (_, answer), self._telling():
            return self._read(answer)

    def last_lines(self, path: str) -> tuple[Any, str]:
        """Ask for lines of the log; return them, and where `log` goes on from."""
        with self._asked("GET", path, None, {}, TIMEOUT_S) as (_, answer), self._telling():
            text = self._read(answer)
        try:
            return json.loads(text), answer.headers.get("Last-Event-ID", "")
        except (ValueError, RecursionError):
            raise self._no_host() from None

    def events(
        self, types: str | None = None, after: str | None = None
    ) -> AbstractContextManager[EventStream]:
        """Follow what happens; nothing that happens once it is entered is missed.

        Args:
            types: With commas between them; None for all.
            after: The token of the last event that was seen.
        """
        path = "/events" if types is None else f"/events?types={quote(types)}"
        return self._stream(path, after, _is_event)

    def log(self, after: str | None = None) -> AbstractContextManager[EventStream]:
        """Follow the log, as `events` does what happens: its lines, and events called `gap`."""
        return self._stream("/logs/stream", after, lambda it: _is_event(it) or _is_line(it))

    @contextmanager
    def _stream(
        self, path: str, after: str | None, is_one: Callable[[dict[str, Any]], bool]
    ) -> Iterator[EventStream]:
        headers = {"Accept": "text/event-stream"}
        if after is not None:
            headers["Last-Event-ID"] = after
        with self._asked("GET", path, None, headers, TIMEOUT_S) as (sock, answer):
            if answer.headers.get_content_type() != "text/event-stream":
                raise self._no_host()
            yield EventStream(sock, answer, is_one)

    @contextmanager
    def _asked(
        self,
        method: str,
        path: str,
        data: bytes | None,
        headers: Mapping[str, str],
        timeout_s: float,
    ) -> Iterator[tuple[socket.socket, http.client.HTTPResponse]]:
        sent = dict(headers)
        if self._target.token:
            sent["Authorization"] = f"Bearer {self._target.token}"
        connection = self._connection()
        try:
            with self._telling():
                connection.connect()
                sock: socket.socket = connection.sock
                self._check_certificate(sock)
                sock.settimeout(timeout_s)
                place = f"{self._target.address.path}{_API}{path}"
                connection.request(method, place, data, sent)
                answer = connection.getresponse()
                if not 200 <= answer.status < 300:
                    raise self._refused(answer)
            yield sock, answer
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        url = self._target.address
        if url.scheme == "http":
            return http.client.HTTPConnection(
                url.hostname or "", url.port, timeout=CONNECT_TIMEOUT_S
            )
        context = ssl.create_default_context()
        if self._target.tls_fingerprint is not None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE  # it is compared as a whole
        return http.client.HTTPSConnection(
            url.hostname or "", url.port, timeout=CONNECT_TIMEOUT_S, context=context
        )

    def _check_certificate(self, sock: Any) -> None:
        """Before the token goes out."""
        wanted = self._target.tls_fingerprint
        if wanted is None:
            return
        shown = sha256(sock.getpeercert(binary_form=True) or b"").hexdigest()
        if not hmac.compare_digest(shown, wanted):
            raise NoHost(f"what answers at {self._target.url} is not this host")

    def _refused(self, answer: http.client.HTTPResponse) -> Refused:
        said = None
        try:
            plain = json.loads(self._read(answer))
            said = plain.get("error") if isinstance(plain, dict) else None
        except (ValueError, RecursionError):
            pass  # a proxy may answer in its own words
        return Refused(str(said or f"the host answered {answer.status}"), status=answer.status)

    def _read(self, answer: http.client.HTTPResponse) -> bytes:
        text = answer.read(_MAX_ANSWER_BYTES + 1)
        if len(text) > _MAX_ANSWER_BYTES:
            raise NoHost(f"the answer of {self._target.url} is far too long")
        return text

    @contextmanager
    def _telling(self) -> Iterator[None]:
        where = self._target.url
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            raise NoHost(
                f"the certificate at {where} is not trusted ({error.verify_message}); if the host "
                "made it itself, name it with --tls-fingerprint"
            ) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoHost(f"the host at {where} does not answer: {error}") from error

    def _no_host(self) -> NoHost:
        return NoHost(f"what answers at {self._target.url} is no punktfunk host")


def _is_event(it: dict[str, Any]) -> bool:
    return isinstance(it.get("type"), str) and isinstance(it.get("data", {}), dict)


def _is_line(it: dict[str, Any]) -> bool:
    return all(isinstance(it.get(name), str) for name in ("time", "level", "logger", "message"))
