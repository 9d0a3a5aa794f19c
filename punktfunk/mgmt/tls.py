"""HTTPS for the management API, and the rule that nothing but loopback goes without."""

import re
import ssl
from hashlib import sha256
from pathlib import Path

import attrs

from punktfunk.config.addresses import parse_bind
from punktfunk.config.settings import MgmtSettings
from punktfunk.errors import ConfigError

_FIRST = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_MAX_CHARACTERS = 1 << 20


@attrs.frozen
class ServerTls:
    """Attributes:
    fingerprint: SHA-256 of the certificate's DER, for those who compare it.
    """

    context: ssl.SSLContext = attrs.field(repr=False)
    fingerprint: str


def server_tls(settings: MgmtSettings, identity: Path, folder: Path) -> ServerTls | None:
    """Load what HTTPS needs; None means plain HTTP.

    Args:
        identity: PEM file with the host's own key and certificate.
        folder: What relative file names are relative to.

    Raises:
        ConfigError: the files are of no use, or the bind address needs HTTPS and has none.
    """
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise ConfigError("mgmt.tls_cert and mgmt.tls_key: give both or neither")
    if settings.tls_cert:
        certificate = folder / Path(settings.tls_cert).expanduser()
        return _load(certificate, folder / Path(settings.tls_key).expanduser())
    if settings.tls_own:
        return _load(identity, identity)
    if not parse_bind(settings.bind).is_loopback:
        raise ConfigError(
            f"mgmt.bind is {settings.bind}: outside loopback the management API needs HTTPS; "
            "set mgmt.tls_own = true, or mgmt.tls_cert and mgmt.tls_key",
            key="mgmt.bind",
        )
    return None


def _load(certificate: Path, key: Path) -> ServerTls:
    try:
        with certificate.open(encoding="ascii", errors="replace") as file:
            first = _FIRST.search(file.read(_MAX_CHARACTERS))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_COMPRESSION
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(certificate, key, password=_no_password)
        der = ssl.PEM_cert_to_DER_cert(first[0] if first else "")
    except OSError as error:  # ssl's errors are among them
        reason = error.strerror or str(error)
        raise ConfigError(f"mgmt: no HTTPS with {certificate} and {key}: {reason}") from None
    except ValueError as error:
        raise ConfigError(f"mgmt: no HTTPS with {certificate} and {key}: {error}") from None
    return ServerTls(context, sha256(der).hexdigest())


def _no_password() -> str:
    """Keep OpenSSL from asking at a terminal nobody watches."""
    raise ValueError("the key has a password")
