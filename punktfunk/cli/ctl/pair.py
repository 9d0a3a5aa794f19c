"""`punktfunk ctl pair`: devices that wait for their PIN."""

from typing import Any

import click

from punktfunk.cli.ctl.asking import Ctl, Noun, make_sense, print_json, verb
from punktfunk.cli.ctl.tables import Shown, Table, lasting
from punktfunk.cli.pairing import give_pin
from punktfunk.cli.printable import printable


@click.group(cls=Noun, bare="status", other="enter")
def pair() -> None:
    """Show who waits for a PIN, or enter it: `punktfunk ctl pair 1234`."""


@pair.command()
@verb
def status(ctl: Ctl) -> None:
    """Show the devices that wait for their PIN. The default."""
    found = ctl.ask("GET", "/pair")
    if ctl.as_json:
        print_json(found)
    else:
        waiting = make_sense(found, lambda it: list(it["pending"]))
        ctl.show(waiting, _waiting, none="no device waits for a PIN")


@pair.command()
@click.argument("pin")
@click.option("--id", "attempt_id", type=int, metavar="N", help="For which of the waiting devices.")
@verb
def enter(ctl: Ctl, pin: str, attempt_id: int | None) -> None:
    """Let the device that shows this PIN stream, and wait for what comes of it."""
    name = make_sense(ctl.client(), lambda api: give_pin(api, pin, attempt_id))
    if ctl.as_json:
        print_json({"paired": name})
    else:
        click.echo(f"Paired as {printable(name)}.")


def _waiting(found: list[dict[str, Any]]) -> Shown:
    return Table(
        ("ID", "DEVICE", "ADDRESS", "WAITS FOR"),
        (
            (it["id"], it["client_name"], it["address"], f"another {lasting(it['seconds_left'])}")
            for it in found
        ),
        wide=1,
    )
