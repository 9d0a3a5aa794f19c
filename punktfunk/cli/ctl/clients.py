"""`punktfunk ctl clients`: the paired devices."""

from typing import Any

import click

from punktfunk.cli.ctl.asking import Ctl, Noun, make_sense, verb
from punktfunk.cli.ctl.tables import Shown, Table, ago
from punktfunk.errors import Refused

SHOWN_DIGITS = 16
_LEAST_DIGITS = 6


@click.group(cls=Noun, bare="list")
def clients() -> None:
    """Show or remove the paired devices."""


@clients.command("list")
@verb
def list_clients(ctl: Ctl) -> None:
    """Show the paired devices. The default."""
    ctl.show(ctl.ask("GET", "/clients"), client_table, none="no device is paired yet")


@clients.command()
@click.argument("fingerprint")
@verb
def unpair(ctl: Ctl, fingerprint: str) -> None:
    """Shut a device out and end what it has running. The first digits will do."""
    unpair_one(ctl, "/clients", fingerprint)


@clients.command()
@click.argument("fingerprint")
@click.argument("name")
@verb
def rename(ctl: Ctl, fingerprint: str, name: str) -> None:
    """Call a device something else. The first digits will do."""
    rename_one(ctl, "/clients", fingerprint, name)


def client_table(found: list[dict[str, Any]]) -> Shown:
    """Of both protocols' clients."""
    return Table(
        ("FINGERPRINT", "NAME", "PAIRED", "LAST SEEN"),
        (
            (
                it["fingerprint"][:SHOWN_DIGITS],
                it.get("name"),
                ago(it.get("paired_at_unix")),
                ago(it.get("last_seen_unix")),
            )
            for it in found
        ),
        wide=1,
    )


def unpair_one(ctl: Ctl, path: str, digits: str) -> None:
    """Unpair the one client whose fingerprint begins like that. Raises as `_whole` does."""
    ctl.ask("DELETE", f"{path}/{_whole(ctl, path, digits)}")
    ctl.remark("it is no longer paired")


def rename_one(ctl: Ctl, path: str, digits: str, name: str) -> None:
    """Rename the one client whose fingerprint begins like that. Raises as `_whole` does."""
    client = ctl.ask("PATCH", f"{path}/{_whole(ctl, path, digits)}", {"name": name})
    ctl.show(client, lambda it: client_table([it]))


def _whole(ctl: Ctl, path: str, digits: str) -> str:
    """The one fingerprint that begins like that.

    Raises:
        Refused: none does, or several do.
    """
    digits = digits.lower()
    if len(digits) < _LEAST_DIGITS or set(digits) - set("0123456789abcdef"):
        raise click.BadParameter(f"a fingerprint is at least {_LEAST_DIGITS} hexadecimal digits")
    found = make_sense(ctl.ask("GET", path), lambda all_: [str(it["fingerprint"]) for it in all_])
    matching = [it for it in found if it.startswith(digits)]
    if not matching:
        raise Refused("no paired device has that fingerprint", status=404)
    if len(matching) > 1:
        raise Refused(f"{len(matching)} fingerprints begin like that: give more digits", status=409)
    return matching[0]
