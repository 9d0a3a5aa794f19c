"""What the client says over HTTP: moonlight-python's own pairing and requests, unmodified.

The identity folder holds the key, the certificate and, once paired, the host's certificate, so a
later process with the same folder is the same client.
"""

import http.client
import secrets
import ssl
import urllib.parse
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from xml.etree import ElementTree

import requests
from client_failure import ClientFailure
from cryptography.utils import CryptographyDeprecationWarning
from moonlight_library import CHANNEL_LAYOUTS

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from moonlight_python.exceptions import HttpResponseError, MoonlightError
    from moonlight_python.http_client import NvHTTP
    from moonlight_python.identity import Identity
    from moonlight_python.pairing import pair

# The real clients' certificates have serial 0, about which cryptography warns on each access.
warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning)

T = TypeVar("T")


def create_identity(folder: Path, serial: int = 0, common_name: str | None = None) -> None:
    """A key and a certificate as the real clients make them: RSA-2048, SHA-256, serial 0.

    All identities share subject and serial unless told otherwise, as all real clients do.
    """
    from OpenSSL import crypto

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        key = crypto.PKey()
        key.generate_key(crypto.TYPE_RSA, 2048)
        certificate = crypto.X509()
        certificate.set_version(2)
        certificate.set_serial_number(serial)
        certificate.get_subject().CN = common_name or "NVIDIA GameStream Client"
        certificate.set_issuer(certificate.get_subject())
        certificate.gmtime_adj_notBefore(0)
        certificate.gmtime_adj_notAfter(20 * 365 * 86_400)
        certificate.set_pubkey(key)
        certificate.sign(key, "sha256")
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in (
            ("key.pem", crypto.dump_privatekey(crypto.FILETYPE_PEM, key)),
            ("cert.pem", crypto.dump_certificate(crypto.FILETYPE_PEM, certificate)),
            ("unique_id", secrets.token_hex(8).encode()),
        ):
            path = folder / name
            path.touch(mode=0o600)
            path.write_bytes(data)


class HostClient:
    """One host as one paired or unpaired client sees it. Every failure is a ClientFailure."""

    def __init__(self, identity_folder: Path, address: str, http_port: int) -> None:
        self.folder = identity_folder
        self.address = address
        self.http_port = http_port
        if not (identity_folder / "key.pem").exists():
            create_identity(identity_folder)
        self.identity = Identity(identity_folder)
        self._pin_path = identity_folder / f"host-{address.replace(':', '_')}-{http_port}.pem"
        pinned = self._pin_path.read_bytes() if self._pin_path.exists() else b""
        self.http = NvHTTP(address, self.identity, http_port=http_port, server_cert_pem=pinned)
        self.info: Any = None

    @property
    def pinned_certificate_pem(self) -> bytes:
        return bytes(self.http.server_cert_pem)

    def serverinfo(self, scheme: str = "http") -> dict[str, Any]:
        """The fields of `/serverinfo`; over https the host's certificate is checked as well."""
        if scheme == "http":
            xml = _staged("serverinfo http", self.http.get_server_info)
        else:
            self._know_https_port()
            xml = _staged("serverinfo https", lambda: self.http.open_https("serverinfo"))
            _staged("serverinfo https", lambda: self.http.verify_response_status(xml))
        self.info = self.http.parse_server_info(xml)
        fields = {element.tag: element.text or "" for element in ElementTree.fromstring(xml)}
        result: dict[str, Any] = {
            "scheme": scheme,
            "fields": fields,
            "paired": self.info.paired,
            "state": self.info.state,
            "current_game": self.info.current_game,
            "codec_mode_support": self.info.server_codec_mode_support,
            "app_version": self.info.app_version,
            "https_port": self.http.https_port,
        }
        if scheme == "https":
            result["pin_matches"] = self.certificate_matches_pin()
        return result

    def pair(self, pin: str, timeout_s: int = 60) -> dict[str, Any]:
        """All five stages, by moonlight-python; blocks while the host waits for the PIN."""
        self.serverinfo("http")
        pem = _staged(
            "pair", lambda: pair(self.http, self.identity, pin, self.info, timeout=timeout_s)
        )
        self.http.server_cert_pem = pem
        self._pin_path.write_bytes(pem)
        return {
            "paired": True,
            "host_certificate_pem": pem.decode("ascii"),
            "client_certificate_pem": self.identity.cert_pem.decode("ascii"),
            "pin_matches": self.certificate_matches_pin(),
        }

    def unpair(self, scheme: str = "http") -> dict[str, Any]:
        """The clients' `/unpair`; the local pin is forgotten as well."""
        self._know_https_port()
        send = self.http.open_http if scheme == "http" else self.http.open_https
        xml = _staged("unpair", lambda: send("unpair"))
        self.http.server_cert_pem = b""
        self._pin_path.unlink(missing_ok=True)
        return {"status_code": _root_status(xml), "xml": xml}

    def applist(self) -> list[dict[str, Any]]:
        self._know_https_port()
        apps = _staged("applist", self.http.get_app_list)
        return [
            {"id": app.id, "name": app.name, "hdr_supported": app.hdr_supported} for app in apps
        ]

    def launch(
        self,
        app_id: int,
        mode: tuple[int, int, int],
        audio: str,
        key: bytes,
        iv: bytes,
        query: str,
        *,
        sops: bool,
        local_audio: bool,
    ) -> str:
        """Start an app; returns the session URL."""
        self._know_https_port()
        width, height, fps = mode
        url = _staged(
            "launch",
            lambda: self.http.launch_app(
                app_id,
                width,
                height,
                fps,
                0,
                0,
                key,
                iv,
                surround_audio_info(audio),
                sops,
                local_audio,
                query,
            ),
        )
        return _session_url("launch", url)

    def resume(self, audio: str, key: bytes, iv: bytes, query: str) -> str:
        """Take up the running app; moonlight-python sends fewer parameters than others do."""
        self._know_https_port()
        url = _staged(
            "resume",
            lambda: self.http.resume_app(key, iv, surround_audio_info(audio), query),
        )
        return _session_url("resume", url)

    def quit(self) -> dict[str, Any]:
        """`/cancel`, then what the clients check at once: is the host free again?"""
        self._know_https_port()
        _staged("quit", self.http.quit_app)
        after = self.serverinfo("https")
        return {"state": after["state"], "current_game": after["current_game"]}

    def fetch(self, scheme: str, path: str, query: str, timeout_s: float) -> dict[str, Any]:
        """Any request, raw: for answers that moonlight-python does not show (asset, 401, 404)."""
        if scheme == "https":
            self._know_https_port()
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                self.address, self.http.https_port, timeout=timeout_s, context=self._tls()
            )
        else:
            connection = http.client.HTTPConnection(self.address, self.http_port, timeout=timeout_s)
        try:
            connection.request("GET", f"/{path}" + (f"?{query}" if query else ""))
            answer = connection.getresponse()
            body = answer.read(16 << 20)
        except (OSError, http.client.HTTPException) as error:
            raise ClientFailure("network", f"GET {scheme} /{path}", repr(error)) from error
        finally:
            connection.close()
        text = body.decode("utf-8", "replace") if b"<" in body[:64] else None
        return {
            "http_status": answer.status,
            "content_type": answer.getheader("Content-Type"),
            "bytes": len(body),
            "magic": body[:8].hex(),
            "status_code": _root_status(text) if text else None,
            "text": text,
        }

    def certificate_matches_pin(self) -> bool | None:
        """Whether TLS shows exactly the certificate of pairing; moonlight-python never checks.

        None when nothing is pinned.
        """
        pem = self.pinned_certificate_pem
        if not pem:
            return None
        pinned = ssl.PEM_cert_to_DER_cert(pem.decode("ascii"))
        connection = http.client.HTTPSConnection(
            self.address, self.http.https_port, timeout=5, context=self._tls()
        )
        try:
            connection.connect()
            shown = connection.sock.getpeercert(binary_form=True)
        except OSError as error:
            raise ClientFailure("network", "tls", repr(error)) from error
        finally:
            connection.close()
        return bool(shown == pinned)

    def _tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.load_cert_chain(self.folder / "cert.pem", self.folder / "key.pem")
        return context

    def _know_https_port(self) -> None:
        if self.info is None:
            self.serverinfo("http")


def surround_audio_info(audio: str) -> int:
    channels, mask = CHANNEL_LAYOUTS[audio]
    return mask << 16 | channels


def with_host(session_url: str, host: str) -> str:
    """The session URL with another host, for a client behind a relay."""
    parts = urllib.parse.urlsplit(session_url)
    bracketed = f"[{host}]" if ":" in host else host
    return parts._replace(netloc=f"{bracketed}:{parts.port}").geturl()


def _session_url(stage: str, url: str | None) -> str:
    if not url:
        raise ClientFailure("protocol", stage, "the answer has no sessionUrl0")
    return url


def _root_status(xml: str) -> int | None:
    with suppress(ElementTree.ParseError, ValueError):
        return int(ElementTree.fromstring(xml).get("status_code", ""))
    return None


def _staged(stage: str, call: Callable[[], T]) -> T:
    try:
        return call()
    except HttpResponseError as error:
        raise ClientFailure("status", stage, error.status_message, error.status_code) from error
    except MoonlightError as error:
        raise ClientFailure(type(error).__name__, stage, str(error)) from error
    except requests.HTTPError as error:
        raise ClientFailure("http", stage, str(error), error.response.status_code) from error
    except requests.RequestException as error:
        raise ClientFailure("network", stage, f"{type(error).__name__}: {error}") from error
    except (ElementTree.ParseError, ValueError, OSError) as error:
        raise ClientFailure("protocol", stage, f"{type(error).__name__}: {error}") from error
