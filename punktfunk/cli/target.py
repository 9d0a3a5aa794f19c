"""Which host to ask, and how to be let in: the one of a configuration folder, or any by its URL."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import attrs

from punktfunk.errors import ConfigError, PunktfunkError
from punktfunk.host.runtime import read_runtime
from punktfunk.trust.files import read_private
from punktfunk.trust.token import TOKEN_FILE, TOKEN_VARIABLE, load_or_make_token

_TOKEN = re.compile(rf"(?:{TOKEN_VARIABLE}=)?([\x21-\x7e]{{1,512}})\s*")
_MAX_FILE_BYTES = 4_096


class NoHost(PunktfunkError):
    """No host runs with this configuration folder, or it does not answer."""

    code = "no_host"


@attrs.frozen
class Target:
    """Attributes:
    url: Of the management API, without `/api/v1`.
    token: Empty for none.
    tls_fingerprint: SHA-256 of the certificate that must be shown, whoever signed it; None
        checks names and signatures as usual.
    """

    url: str
    token: str = attrs.field(repr=False)
    tls_fingerprint: str | None = None

    @property
    def address(self) -> SplitResult:
        return urlsplit(self.url)


def local_host(folder: Path, token: str | None = None) -> Target:
    """Find the host that runs with this folder.

    Args:
        token: Instead of the one in the folder.

    Raises:
        NoHost: none does.
    """
    runtime = read_runtime(folder)
    if runtime is None or not (token or (folder / TOKEN_FILE).exists()):
        raise NoHost(f"no host runs with {folder}; start one with: punktfunk serve")
    return Target(runtime.mgmt_url, token or load_or_make_token(folder), runtime.tls_fingerprint)


def host_at(url: str, token: str | None, tls_fingerprint: str | None = None) -> Target:
    """Take a host at its address.

    Raises:
        ConfigError: no address, no fingerprint, or a token would go out unencrypted.
    """
    try:
        address = urlsplit(url.rstrip("/"))
        named = bool(address.hostname) and address.port != 0
    except ValueError:
        raise ConfigError("--url: this is no address") from None
    if address.scheme not in ("http", "https") or not named:
        raise ConfigError("--url is like https://192.168.1.5:47990")
    if address.username is not None or address.query or address.fragment:
        raise ConfigError("--url has a host, a port and perhaps a path; tokens do not belong there")
    if address.scheme == "http" and not _is_loopback(address.hostname or ""):
        raise ConfigError("--url: outside this machine the token needs https")
    if tls_fingerprint is not None:
        if address.scheme == "http":
            raise ConfigError("--tls-fingerprint needs a --url with https")
        tls_fingerprint = tls_fingerprint.replace(":", "").lower()
        if not re.fullmatch(r"[0-9a-f]{64}", tls_fingerprint):
            raise ConfigError("--tls-fingerprint is 64 hexadecimal digits, a SHA-256")
    return Target(address.geturl(), token or "", tls_fingerprint)


def token_of(file: str | None, environment: Mapping[str, str]) -> str | None:
    """Read the token in a file or, without one, in the environment; None: in neither.

    Raises:
        ConfigError: the file cannot be read, others can read it, or it holds no token.
    """
    if file is None:
        text, where = environment.get(TOKEN_VARIABLE, ""), TOKEN_VARIABLE
        if not text.strip():
            return None
    else:
        where = file
        try:
            text = read_private(Path(file), _MAX_FILE_BYTES).decode("ascii", errors="replace")
        except FileNotFoundError:
            raise ConfigError(f"{file} is not there") from None
    found = _TOKEN.fullmatch(text)
    if found is None:
        raise ConfigError(f"{where} holds no token: it is one line, the token and nothing else")
    return found[1]


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
