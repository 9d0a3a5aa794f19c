"""Commands that ask the running host: `pair` and `clients`."""

import json
import time
from pathlib import Path
from typing import Any

import click

from punktfunk.cli.api_client import ApiClient
from punktfunk.cli.folder import folder_option, json_option
from punktfunk.errors import Refused


@click.command()
@click.argument("pin")
@click.option("--id", "attempt_id", type=int, metavar="N", help="For which of the waiting devices.")
@folder_option
def pair(pin: str, attempt_id: int | None, folder: Path) -> None:
    """Let the device that shows this PIN stream from here."""
    api = ApiClient(folder)
    waiting = api.ask("GET", "/pair")["pending"]
    if attempt_id is None and len(waiting) > 1:
        devices = "; ".join(f"--id {it['id']} for {_device(it)}" for it in waiting)
        raise Refused(f"several devices wait for a PIN, say which one: {devices}")
    api.ask("POST", "/pair/pin", {"pin": pin, "id": attempt_id})
    chosen = [it for it in waiting if attempt_id in (None, it["id"])]
    click.echo(f"The PIN went to {_device(chosen[0])}." if chosen else "The PIN was passed on.")


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
    paired = ApiClient(folder).ask("GET", "/clients")
    if as_json:
        click.echo(json.dumps(paired, indent=2, ensure_ascii=False))
        return
    for client in paired:
        day = time.strftime("%Y-%m-%d", time.localtime(client.get("paired_at_unix", 0)))
        click.echo(f"{client['fingerprint']}  {day}  {_printable(client.get('name', ''))}")
    if not paired:
        click.echo("punktfunk: no device is paired yet", err=True)


@clients.command()
@click.argument("fingerprint")
@folder_option
def unpair(fingerprint: str, folder: Path) -> None:
    """Shut a device out and end what it has running."""
    if not fingerprint.isalnum():
        raise click.BadParameter("a fingerprint is 64 hexadecimal digits")
    ApiClient(folder).ask("DELETE", f"/clients/{fingerprint}")
    click.echo("It is no longer paired.")


def _device(waiting: dict[str, Any]) -> str:
    return f"{_printable(waiting['client_name'])} at {_printable(waiting['address'])}"


def _printable(text: str) -> str:
    """A device may call itself anything, a terminal's escape sequences included."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)
