"""The machine around the host: ports, folders, secrets, fonts."""

import errno
import os
import socket
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs

from punktfunk.config import LoadedConfig
from punktfunk.config.addresses import parse_bind
from punktfunk.errors import PunktfunkError
from punktfunk.host.ports import Ports
from punktfunk.host.runtime import read_runtime
from punktfunk.library import CustomGames, HiddenGames
from punktfunk.library.app_numbers import APPS_FILE, AppNumbers
from punktfunk.library.custom import LIBRARY_FILE
from punktfunk.library.hidden import HIDDEN_FILE
from punktfunk.trust.files import backup_of
from punktfunk.trust.identity import IDENTITY_FILE, load_or_make_identity
from punktfunk.trust.store import (
    CLIENTS_FILE,
    NATIVE_CLIENTS_FILE,
    ClientStore,
    NativeClientStore,
)
from punktfunk.trust.token import TOKEN_FILE, load_or_make_token
from punktfunk.trust.tokens import TOKENS_FILE, TokenStore

_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
_STATE = (
    (IDENTITY_FILE, load_or_make_identity),
    (TOKEN_FILE, load_or_make_token),
    (TOKENS_FILE, TokenStore),
    (CLIENTS_FILE, ClientStore),
    (NATIVE_CLIENTS_FILE, NativeClientStore),
    (LIBRARY_FILE, CustomGames),
    (HIDDEN_FILE, HiddenGames),
    (APPS_FILE, AppNumbers),
)
"""Files that keep the host from starting when they are unusable, and who reads them."""


@attrs.frozen(kw_only=True)
class Check:
    """Attributes:
    remark: What was found, in one sentence.
    hint: What a person can do about it; empty when there is nothing to do.
    """

    name: str
    ok: bool
    remark: str
    hint: str = ""


def machine_checks(
    loaded: LoadedConfig, config_dir: Path, environment: Mapping[str, str]
) -> Iterable[Check]:
    """Look around, as the host does when it starts."""
    yield from _port_checks(loaded, config_dir)
    yield _folder_check(config_dir)
    yield from _state_checks(config_dir)
    yield _runtime_check(environment)
    yield _font_check()


def _port_checks(loaded: LoadedConfig, config_dir: Path) -> Iterable[Check]:
    """Whether our ports are free; a host of this folder that has them is no obstacle."""
    try:
        running = read_runtime(config_dir)
    except PunktfunkError as error:
        yield Check(name="host", ok=False, remark=str(error))
        return
    if running is not None:
        remark = f"a host runs with this folder, process {running.pid}, {running.mgmt_url}"
        yield Check(name="ports", ok=True, remark=remark)
        return
    host = loaded.settings.host
    ports = Ports(host.base_port)
    media = ports.media(0)
    mgmt = parse_bind(loaded.settings.mgmt.bind)
    wanted = [
        *((host.bind, port, socket.SOCK_STREAM) for port in (ports.http, ports.https, ports.rtsp)),
        *(
            (host.bind, port, socket.SOCK_DGRAM)
            for port in (media.video, media.control, media.audio)
        ),
        (str(mgmt.address), mgmt.port, socket.SOCK_STREAM),
    ]
    problems = [problem for it in wanted if (problem := _port_problem(*it))]
    if problems:
        hint = "stop the other program, or move with --base-port or --mgmt-bind"
        yield Check(name="ports", ok=False, remark="; ".join(problems), hint=hint)
    else:
        numbers = ", ".join(str(port) for _, port, _ in wanted)
        yield Check(name="ports", ok=True, remark=f"free: {numbers}")


def _port_problem(address: str, port: int, kind: socket.SocketKind) -> str:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as trial:
        if kind == socket.SOCK_STREAM:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                protocol = "TCP" if kind == socket.SOCK_STREAM else "UDP"
                return f"{protocol} port {port} is taken"
            return f"{address or '0.0.0.0'}:{port}: {error.strerror}"
    return ""


def _folder_check(config_dir: Path) -> Check:
    name = "configuration folder"
    nearest = config_dir
    while not nearest.exists():
        nearest = nearest.parent
    if not os.access(nearest, os.W_OK | os.X_OK):
        hint = "choose another one with --config-dir"
        remark = f"{config_dir} cannot be written"
        return Check(name=name, ok=False, remark=remark, hint=hint)
    if nearest == config_dir and stat.S_IMODE(config_dir.stat().st_mode) & 0o077:
        remark = f"{config_dir} is open to other users; the host closes it when it starts"
        return Check(name=name, ok=True, remark=remark)
    return Check(name=name, ok=True, remark=str(config_dir))


def _state_checks(config_dir: Path) -> Iterable[Check]:
    """Only of files that are there: the host makes the others."""
    for name, read in _STATE:
        path = config_dir / name
        if path.exists() or backup_of(path).exists():
            try:
                read(config_dir)
            except PunktfunkError as error:
                yield Check(name=name, ok=False, remark=str(error))


def _runtime_check(environment: Mapping[str, str]) -> Check:
    folder = environment.get("XDG_RUNTIME_DIR", "")
    if folder and os.access(folder, os.W_OK | os.X_OK):
        return Check(name="runtime folder", ok=True, remark=folder)
    remark = "no XDG_RUNTIME_DIR; a private folder among the temporary files is used instead"
    return Check(name="runtime folder", ok=True, remark=remark)


def _font_check() -> Check:
    found = any(_has_fonts(Path(folder).expanduser()) for folder in _FONT_FOLDERS)
    remark = "installed" if found else "none is installed: terminals will not start"
    hint = "" if found else "install some, such as the package fonts-dejavu-core"
    return Check(name="fonts", ok=True, remark=remark, hint=hint)


def _has_fonts(folder: Path) -> bool:
    suffixes = {".ttf", ".otf", ".ttc", ".pcf", ".gz"}
    return any(path.suffix in suffixes for path in folder.rglob("*"))
