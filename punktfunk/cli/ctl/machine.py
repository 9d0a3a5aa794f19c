"""`punktfunk ctl doctor` and `undo`: the host's machine, and what sessions left behind there."""

from typing import Any
from urllib.parse import quote

import click

from punktfunk.cli.ctl.asking import Ctl, Noun, make_sense, verb
from punktfunk.cli.ctl.tables import Lines, Shown, Table
from punktfunk.cli.printable import printable

DOCTOR_TIMEOUT_S = 60.0
UNDO_TIMEOUT_S = 120.0


@click.command()
@verb
def doctor(ctl: Ctl) -> None:
    """Show what the host's machine can stream with. Status 1 when it cannot."""
    report = ctl.ask("GET", "/doctor", timeout_s=DOCTOR_TIMEOUT_S)
    ctl.show(report, _report)
    raise SystemExit(0 if make_sense(report, lambda it: bool(it["can_stream"])) else 1)


@click.group(cls=Noun, bare="list")
def undo() -> None:
    """Show what sessions left behind on the machine, or take it back."""


@undo.command("list")
@verb
def list_effects(ctl: Ctl) -> None:
    """Show everything that is not taken back yet. The default."""
    ctl.show(ctl.ask("GET", "/undo"), effects_table, none="nothing is left behind")


@undo.command()
@verb
def run(ctl: Ctl) -> None:
    """Take back what sessions that do not run any more left behind."""
    left = ctl.ask("POST", "/undo", timeout_s=UNDO_TIMEOUT_S)
    ctl.show(left, effects_table, none="nothing is left behind")


@undo.command()
@click.argument("effect_id", metavar="ID")
@verb
def forget(ctl: Ctl, effect_id: str) -> None:
    """Give up something that cannot be taken back. It stays as it is."""
    ctl.ask("DELETE", f"/undo/{quote(effect_id, safe='')}")
    ctl.remark("it is forgotten")


def effects_table(found: list[dict[str, Any]]) -> Shown:
    return Table(
        ("ID", "SEAT", "WHAT", "STATE", "WHY"),
        ((it["id"], it["seat"], it["kind"], _state(it), it["reason"]) for it in found),
        wide=4,
    )


def _state(it: dict[str, Any]) -> str:
    if it["state"] == "left_alone":
        return "left alone"
    if it["running"]:
        return "session runs"
    return "could not be undone" if it["reason"] else "to be undone"


def _report(it: dict[str, Any]) -> Shown:
    lines = ["Apps", *_checks(it["apps"]), "", "Machine", *_checks(it["checks"]), "", "Drivers"]
    for choice in it["choices"]:
        lines.append(f"  {choice['kind'].replace('_', ' ')}: {choice['picked'] or 'nothing fits'}")
        lines += [f"      {no['driver']}: {no['because']}" for no in choice["passed_over"]]
    can = "can" if it["can_stream"] else "cannot"
    return Lines(*(printable(line) for line in lines), "", f"This machine {can} stream.")


def _checks(found: list[dict[str, Any]]) -> list[str]:
    lines = []
    for it in found:
        lines.append(f"  {'ok' if it['ok'] else 'no'}  {it['name']}: {it['remark']}")
        if it["hint"]:
            lines.append(f"      {it['hint']}")
    return lines
