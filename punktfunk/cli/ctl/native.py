"""`punktfunk ctl native`: pairing for the native protocol, where the host makes the PIN."""

from typing import Any

import click

from punktfunk.cli.ctl.asking import Ctl, Noun, verb
from punktfunk.cli.ctl.clients import SHOWN_DIGITS, client_table, rename_one, unpair_one
from punktfunk.cli.ctl.tables import Facts, Shown, Table, lasting

_NUMBER = click.IntRange(0, 2**31 - 1)


@click.group(cls=Noun, bare="status")
def native() -> None:
    """Pairing for the native protocol, and its devices."""


@native.command()
@verb
def status(ctl: Ctl) -> None:
    """Show whether devices can pair now, and the PIN. The default."""
    ctl.show(ctl.ask("GET", "/native/pair"), _status)


@native.command()
@click.option(
    "--ttl", "ttl_s", type=_NUMBER, metavar="S", help="Seconds, 15 to 600. [default: 120]"
)
@verb
def arm(ctl: Ctl, ttl_s: int | None) -> None:
    """Let a device pair for a while, and show the PIN to type in there."""
    ctl.show(ctl.ask("POST", "/native/pair/arm", {"ttl_secs": ttl_s}), _status)


@native.command()
@verb
def disarm(ctl: Ctl) -> None:
    """Let no device pair any more."""
    ctl.ask("DELETE", "/native/pair")
    ctl.remark("pairing is closed")


@native.command("clients")
@verb
def list_clients(ctl: Ctl) -> None:
    """Show the paired devices."""
    ctl.show(ctl.ask("GET", "/native/clients"), client_table, none="no device is paired yet")


@native.command()
@click.argument("fingerprint")
@verb
def unpair(ctl: Ctl, fingerprint: str) -> None:
    """Shut a device out. The first digits will do."""
    unpair_one(ctl, "/native/clients", fingerprint)


@native.command()
@click.argument("fingerprint")
@click.argument("name")
@verb
def rename(ctl: Ctl, fingerprint: str, name: str) -> None:
    """Call a device something else. The first digits will do."""
    rename_one(ctl, "/native/clients", fingerprint, name)


@native.command()
@verb
def pending(ctl: Ctl) -> None:
    """Show the devices that have knocked and may be approved."""
    ctl.show(ctl.ask("GET", "/native/pending"), _pending, none="no device has knocked")


@native.command()
@click.argument("number", metavar="ID", type=_NUMBER)
@click.option("--name", metavar="N", help="What to call it. [default: what it calls itself]")
@verb
def approve(ctl: Ctl, number: int, name: str | None) -> None:
    """Pair a device that has knocked, without a PIN."""
    client = ctl.ask("POST", f"/native/pending/{number}/approve", {"name": name} if name else {})
    ctl.show(client, lambda it: client_table([it]))


@native.command()
@click.argument("number", metavar="ID", type=_NUMBER)
@verb
def deny(ctl: Ctl, number: int) -> None:
    """Turn a device away that has knocked."""
    ctl.ask("POST", f"/native/pending/{number}/deny")
    ctl.remark("it was turned away")


def _status(it: dict[str, Any]) -> Shown:
    left_s = it.get("expires_in_secs")
    return Facts(
        ("protocol", "on" if it["enabled"] else "off"),
        ("devices can pair", it["armed"]),
        ("PIN", it.get("pin")),
        ("for another", None if left_s is None else lasting(left_s)),
        ("paired devices", it["paired_clients"]),
    )


def _pending(found: list[dict[str, Any]]) -> Shown:
    return Table(
        ("ID", "NAME", "ADDRESS", "KNOCKED", "FINGERPRINT"),
        (
            (
                it["id"],
                it["name"],
                it.get("address"),
                f"{lasting(it['age_secs'])} ago",
                it["fingerprint"][:SHOWN_DIGITS],
            )
            for it in found
        ),
        wide=1,
    )
