"""Commands that ask the running host of this machine: `pair` and `clients`."""

import json
import time
from pathlib import Path

import click

from punktfunk.cli.api_client import ApiClient
from punktfunk.cli.folder import folder_option, json_option
from punktfunk.cli.pairing import give_pin
from punktfunk.cli.printable import printable
from punktfunk.cli.target import local_host


@click.command()
@click.argument("pin")
@click.option("--id", "attempt_id", type=int, metavar="N", help="For which of the waiting devices.")
@folder_option
def pair(pin: str, attempt_id: int | None, folder: Path) -> None:
    """Let the device that shows this PIN stream from here."""
    name = give_pin(ApiClient(local_host(folder)), pin, attempt_id)
    click.echo(f"Paired as {printable(name)}.")


@click.group(invoke_without_command=True)
@folder_option
@json_option
@click.pass_context
def clients(context: click.Context, folder: Path, as_json: bool) -> None:
    """Show or remove the paired devices."""
    if context.invoked_subcommand is None:
        _show_clients(folder, as_json)


@clients.command("list")
@folder_option
@json_option
def list_clients(folder: Path, as_json: bool) -> None:
    """Show the paired devices."""
    _show_clients(folder, as_json)


def _show_clients(folder: Path, as_json: bool) -> None:
    paired = ApiClient(local_host(folder)).ask("GET", "/clients")
    if as_json:
        click.echo(json.dumps(paired, indent=2, ensure_ascii=False))
        return
    for client in paired:
        day = time.strftime("%Y-%m-%d", time.localtime(client.get("paired_at_unix", 0)))
        click.echo(f"{client['fingerprint']}  {day}  {printable(client.get('name', ''))}")
    if not paired:
        click.echo("punktfunk: no device is paired yet", err=True)


@clients.command()
@click.argument("fingerprint")
@folder_option
def unpair(fingerprint: str, folder: Path) -> None:
    """Shut a device out and end what it has running."""
    if not fingerprint.isalnum():
        raise click.BadParameter("a fingerprint is 64 hexadecimal digits")
    ApiClient(local_host(folder)).ask("DELETE", f"/clients/{fingerprint}")
    click.echo("It is no longer paired.")
