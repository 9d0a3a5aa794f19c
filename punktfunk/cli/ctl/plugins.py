"""`punktfunk ctl plugins`: what is installed at the host, and what became of it."""

from collections.abc import Iterable
from typing import Any

import click

from punktfunk.cli.ctl.asking import Ctl, verb
from punktfunk.cli.ctl.tables import Shown, Table


@click.command()
@click.option("--again", is_flag=True, help="Have the host ask every one of them again first.")
@verb
def plugins(ctl: Ctl, again: bool) -> None:
    """Show every installed plugin and what became of it."""
    found = ctl.ask("POST", "/plugins/probe") if again else ctl.ask("GET", "/plugins")
    ctl.show(found, _plugins, none="no plugin is installed")


def _plugins(found: list[dict[str, Any]]) -> Shown:
    return Table(
        ("PLUGIN", "VERSION", "STATE", "DRIVERS", "REMARK"),
        (
            (
                it["name"],
                it["version"],
                it["state"],
                ", ".join(_drivers(it["offers"])),
                _remark(it),
            )
            for it in found
        ),
        wide=4,
    )


def _drivers(offers: list[dict[str, Any]]) -> Iterable[str]:
    return dict.fromkeys(offer["driver"] for offer in offers if offer["available"])


def _remark(it: dict[str, Any]) -> str:
    status = it.get("status") or {"available": True}
    said = "" if status["available"] else status["reason"]
    cannot = (
        f"{offer['driver']}: {offer['reason']}" for offer in it["offers"] if not offer["available"]
    )
    return "; ".join(part for part in (it["reason"], said, *cannot, *it["problems"]) if part)
