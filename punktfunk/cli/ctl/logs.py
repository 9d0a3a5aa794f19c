"""`punktfunk ctl logs`: what the host has logged."""

import time
from calendar import timegm
from typing import Any
from urllib.parse import urlencode

import click

from punktfunk.cli.ctl.asking import Ctl, verb
from punktfunk.cli.ctl.tables import Lines, Shown
from punktfunk.cli.printable import printable


@click.command()
@click.option("--limit", type=click.IntRange(1, 2_000), metavar="N", help="[default: 200]")
@click.option(
    "--level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="Only lines of at least this level.",
)
@verb
def logs(ctl: Ctl, limit: int | None, level: str | None) -> None:
    """Show the last lines of the host's log."""
    given = {"limit": limit, "level": level}
    query = urlencode({name: value for name, value in given.items() if value is not None})
    ctl.show(ctl.ask("GET", f"/logs?{query}"), _lines, none="there are no such lines")


def _lines(found: list[dict[str, Any]]) -> Shown:
    return Lines(*(printable(_line(it)) for it in found))


def _line(it: dict[str, Any]) -> str:
    return f"{_local(it['time'])} {it['level'].upper():<7} {it['logger']}: {it['message']}"


def _local(text: str) -> str:
    """The host says UTC."""
    utc = time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(timegm(utc)))
