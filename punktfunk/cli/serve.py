"""`punktfunk serve`: run the host until it is told to stop."""

import asyncio
import gc
import ipaddress
import logging
import os
import shlex
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from punktfunk.cli import logs
from punktfunk.cli.folder import folder_option, load
from punktfunk.config import config_folder
from punktfunk.trust.token import TOKEN_FILE

if TYPE_CHECKING:
    from punktfunk.host.app import Host

log = logging.getLogger(__name__)


@click.command()
@folder_option
@click.option("--bind", metavar="ADDR", help="Address for clients. [default: all interfaces]")
@click.option(
    "--base-port",
    type=int,
    metavar="N",
    help="Plain HTTP port; all other ports for clients move with it. [default: 47989]",
)
@click.option(
    "--mgmt-bind",
    metavar="ADDR:PORT",
    help="Where the console and the API listen. [default: 127.0.0.1:47990]",
)
@click.option(
    "--mgmt-tls",
    is_flag=True,
    default=None,
    help="Serve it by HTTPS, with the host's own certificate. Needed outside loopback.",
)
@click.option("--log-level", metavar="L", help="debug, info, warning or error. [default: info]")
def serve(
    folder: Path,
    bind: str | None,
    base_port: int | None,
    mgmt_bind: str | None,
    mgmt_tls: bool | None,
    log_level: str | None,
) -> None:
    """Run the host."""
    flags = {
        "host.bind": ("--bind", bind),
        "host.base_port": ("--base-port", base_port),
        "mgmt.bind": ("--mgmt-bind", mgmt_bind),
        "mgmt.tls_own": ("--mgmt-tls", mgmt_tls),
        "host.log_level": ("--log-level", log_level),
    }
    loaded = load(folder, flags)
    logs.set_up(loaded.settings.host.log_level)
    if os.geteuid() == 0:
        log.warning("running as root, which nothing needs: programs that you stream are root's too")
    from punktfunk.host import app  # heavy, and of no use to the other commands

    asyncio.run(app.serve(loaded, folder, _show_greeting))
    gc.freeze()  # or the interpreter looks through everything before it ends: most of a Ctrl-C


@attrs.frozen(kw_only=True)
class Greeting:
    """What a person needs to know once the host runs.

    Attributes:
        bind: Empty for all interfaces.
        tcp_ports, udp_ports: For a firewall.
        program: What to type to run us again.
    """

    name: str
    bind: str
    base_port: int
    tcp_ports: tuple[int, ...]
    udp_ports: tuple[int, ...]
    mgmt_url: str
    folder: Path
    program: str = "punktfunk"

    def lines(self) -> Iterable[str]:
        """Say it, one line a fact."""
        where = self.bind or "all interfaces"
        tcp, udp = (", ".join(map(str, ports)) for ports in (self.tcp_ports, self.udp_ports))
        yield f"{self.name} is ready for Moonlight on {where}, port {self.base_port}."
        yield f"  Ports        TCP {tcp}; UDP {udp}"
        yield f"  Console      {self.mgmt_url}/"
        yield f"  Log in       {self._command('console')}"
        yield f"  API          {self.mgmt_url}/api/v1, token in {self.folder / TOKEN_FILE}"
        pair = self._command("pair PIN")
        yield f"  Pairing      add this machine in Moonlight; its PIN goes there, or: {pair}"
        if self._only_here:
            yield "  Network      only this machine can connect; --bind 0.0.0.0 opens it to all"

    def _command(self, words: str) -> str:
        command = f"{shlex.quote(self.program)} {words}"
        if self.folder == config_folder(None, os.environ):
            return command
        return f"{command} --config-dir {shlex.quote(str(self.folder))}"

    @property
    def _only_here(self) -> bool:
        return bool(self.bind) and ipaddress.ip_address(self.bind).is_loopback


def program_name(started_as: str, on_path: str | None, here: Path) -> str:
    """What to type to run this program again: its name if that finds it, else its path."""
    path = Path(started_as)
    if on_path is not None and path == Path(on_path):
        return path.name
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _show_greeting(host: "Host") -> None:
    media = host.ports.media(0)
    greeting = Greeting(
        name=host.gamestream.name,
        bind=host.settings.host.bind,
        base_port=host.ports.base,
        tcp_ports=(host.ports.https, host.ports.http, host.ports.rtsp),
        udp_ports=(media.video, media.control, media.audio),
        mgmt_url=host.mgmt.url,
        folder=host.config_dir,
        program=program_name(sys.argv[0], shutil.which("punktfunk"), Path.cwd()),
    )
    for line in greeting.lines():
        click.echo(line)
