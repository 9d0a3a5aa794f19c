"""Asks the running host through its management API, with nothing but the standard library."""

import hmac
import http.client
import json
import ssl
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from punktfunk.errors import PunktfunkError, Refused
from punktfunk.host.runtime import Runtime, read_runtime
from punktfunk.trust.token import TOKEN_FILE, load_or_make_token

TIMEOUT_S = 30.0
_MAX_ANSWER_BYTES = 8 << 20


class NoHost(PunktfunkError):
    """No host runs with this configuration folder, or it does not answer."""

    code = "no_host"


class ApiClient:
    """Raises NoHost: no host runs with this folder."""

    def __init__(self, folder: Path) -> None:
        runtime = read_runtime(folder)
        if runtime is None or not (folder / TOKEN_FILE).exists():
            raise NoHost(f"no host runs with {folder}; start one with: punktfunk serve")
        self._runtime: Runtime = runtime
        self._token = load_or_make_token(folder)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask once; return the answer's JSON, or None when it has none.

        Raises:
            Refused: the host said no; the message is what it said.
            NoHost: it does not answer, or is not the one that wrote the file.
        """
        try:
            return self._ask(method, path, body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            where = self._runtime.mgmt_url
            raise NoHost(f"the host at {where} does not answer: {error}") from error

    def _ask(self, method: str, path: str, body: object) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection = self._connect()
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, f"/api/v1{path}", data, headers)
            answer = connection.getresponse()
            text = answer.read(_MAX_ANSWER_BYTES)
        finally:
            connection.close()
        plain = json.loads(text) if text else None
        if answer.status >= 400:
            said = plain.get("error") if isinstance(plain, dict) else None
            raise Refused(str(said or f"the host answered {answer.status}"), status=answer.status)
        return plain

    def _connect(self) -> http.client.HTTPConnection:
        url = urlsplit(self._runtime.mgmt_url)
        if url.scheme == "http":
            return http.client.HTTPConnection(url.hostname or "", url.port, timeout=TIMEOUT_S)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # nobody signed it: it is compared as a whole, below
        connection = http.client.HTTPSConnection(
            url.hostname or "", url.port, timeout=TIMEOUT_S, context=context
        )
        connection.connect()
        self._check_certificate(connection)
        return connection

    def _check_certificate(self, connection: http.client.HTTPSConnection) -> None:
        """Before the token goes out."""
        tls: Any = connection.sock
        shown = sha256(tls.getpeercert(binary_form=True) or b"").hexdigest()
        if not hmac.compare_digest(shown, self._runtime.tls_fingerprint or ""):
            connection.close()
            raise NoHost(f"what answers at {self._runtime.mgmt_url} is not this host")
