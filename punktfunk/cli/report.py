"""`punktfunk report`: writes what a bug report needs into one file."""

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from punktfunk.cli import logs
from punktfunk.cli.api_client import ApiClient
from punktfunk.cli.folder import folder_option
from punktfunk.cli.target import local_host
from punktfunk.errors import PunktfunkError
from punktfunk.registry.discovery import PLUGIN_GROUP, installed
from punktfunk.trust.files import PRIVATE_FILE_MODE

if TYPE_CHECKING:
    from punktfunk.host.bug_report import HostTold

LOG_LINES = 300


@click.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A new file. [default: punktfunk-report-DATE-TIME.md, here]",
)
@folder_option
def report(output: Path | None, folder: Path) -> None:
    """Write one file to attach to a bug report, without secrets."""
    from punktfunk.host.bug_report import make_report

    logs.set_up("error")
    path = output or Path(time.strftime("punktfunk-report-%Y%m%d-%H%M%S.md"))
    _refuse_existing(path)
    told = _ask_host(folder)
    made = asyncio.run(make_report(folder, os.environ, installed(PLUGIN_GROUP).chosen, told))
    _write_new(path, made.to_text())
    click.echo(f"Written: {path}, readable by you alone. In it are:")
    for title, lines in made.sections.items():
        click.echo(f"  {title} ({len(lines)} lines)")
    click.echo("Secrets, contents of files, your name and this machine's are left out.")
    click.echo("Read it before you give it away.")


def _ask_host(folder: Path) -> "HostTold":
    from punktfunk.host.bug_report import HostTold

    try:
        client = ApiClient(local_host(folder))
        return HostTold(
            status=client.ask("GET", "/status"),
            devices=[*client.ask("GET", "/clients"), *client.ask("GET", "/native/clients")],
            plugins=client.ask("GET", "/plugins"),
            log=client.ask("GET", f"/logs?limit={LOG_LINES}"),
        )
    except PunktfunkError as error:
        return HostTold(problem=f"cannot be asked: {error}")


def _refuse_existing(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise click.BadParameter(f"{path} is there already; it is not overwritten")


def _write_new(path: Path, text: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, PRIVATE_FILE_MODE)
    except OSError as error:
        raise click.BadParameter(f"{path} cannot be written: {error.strerror}") from error
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
        file.write(text)
