"""`punktfunk ctl logs`: what the host has logged, and what it logs."""

import time
from calendar import timegm
from contextlib import closing
from typing import Any
from urllib.parse import urlencode

import click

from punktfunk.cli.ctl.asking import Ctl, make_sense, print_json, verb
from punktfunk.cli.ctl.following import following
from punktfunk.cli.ctl.tables import Lines, Shown
from punktfunk.cli.printable import printable

LEVELS = ("debug", "info", "warning", "error")


@click.command()
@click.option("--follow", "-f", is_flag=True, help="Go on with what is logged, until Ctrl-C.")
@click.option("--limit", type=click.IntRange(1, 2_000), metavar="N", help="[default: 200]")
@click.option("--level", type=click.Choice(LEVELS), help="Only lines of at least this level.")
@verb
def logs(ctl: Ctl, follow: bool, limit: int | None, level: str | None) -> None:
    """Show the last lines of the host's log, or follow it.

    With --follow and --json there is one JSON object a line.
    """
    given = {"limit": limit, "level": level}
    path = f"/logs?{urlencode({name: it for name, it in given.items() if it is not None})}"
    if not follow:
        ctl.show(ctl.ask("GET", path), _lines, none="there are no such lines")
        return
    lines, last = ctl.client().last_lines(path)
    for line in make_sense(lines, list):
        _print(ctl, line)
    wanted = LEVELS[LEVELS.index(level or "debug") :]
    with closing(following(ctl, lambda token: ctl.client().log(token), last)) as told:
        try:
            for line in told:
                if line.get("type") == "gap":
                    ctl.remark(f"some lines may be missing: {printable(line.get('reason'))}")
                elif line["level"].lower() in wanted:
                    _print(ctl, line)
        except KeyboardInterrupt:
            pass


def _print(ctl: Ctl, line: dict[str, Any]) -> None:
    if ctl.as_json:
        print_json(line, indent=None)
    else:
        click.echo(printable(make_sense(line, _line)))


def _lines(found: list[dict[str, Any]]) -> Shown:
    return Lines(*(printable(_line(it)) for it in found))


def _line(it: dict[str, Any]) -> str:
    return f"{_local(it['time'])} {it['level'].upper():<7} {it['logger']}: {it['message']}"


def _local(text: str) -> str:
    """The host says UTC."""
    utc = time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(timegm(utc)))
