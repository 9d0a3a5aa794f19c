"""`punktfunk ctl status`, `health`, `host` and `compositors`."""

from typing import Any

import click

from punktfunk.cli.ctl.asking import Ctl, verb
from punktfunk.cli.ctl.sessions import session_table
from punktfunk.cli.ctl.tables import Facts, Lines, Shown, Table


@click.command()
@verb
def status(ctl: Ctl) -> None:
    """Show what the host does now."""
    ctl.show(ctl.ask("GET", "/status"), _status)


@click.command()
@verb
def health(ctl: Ctl) -> None:
    """Say whether the host answers. Needs no token."""
    ctl.show(
        ctl.ask("GET", "/health"),
        lambda it: Facts(
            ("status", it["status"]),
            ("version", it["version"]),
            ("plugin API", it["abi_version"]),
        ),
    )


@click.command()
@verb
def host(ctl: Ctl) -> None:
    """Show who the host is, its codecs and its ports."""
    ctl.show(ctl.ask("GET", "/host"), _host)


@click.command()
@verb
def compositors(ctl: Ctl) -> None:
    """Show which compositors apps can run on, and why not the others."""
    ctl.show(
        ctl.ask("GET", "/compositors"),
        lambda found: Table(
            ("COMPOSITOR", "AVAILABLE", "DEFAULT", "TITLE", "REASON"),
            ((it["id"], it["available"], it["default"], it["label"], _reason(it)) for it in found),
            wide=4,
        ),
        none="there is no compositor",
    )


def _status(it: dict[str, Any]) -> Shown:
    sessions = it.get("sessions", [])
    facts = Facts(
        ("picture", "streaming" if it["video_streaming"] else "off"),
        ("sound", "streaming" if it["audio_streaming"] else "off"),
        ("waits for a PIN", it["pin_pending"]),
        ("paired devices", it["paired_clients"]),
        ("sessions", len(sessions)),
    )
    return Lines(facts, "", session_table(sessions)) if sessions else facts


def _host(it: dict[str, Any]) -> Shown:
    return Facts(
        ("name", it["hostname"]),
        ("version", it["version"]),
        ("address", it["local_ip"]),
        ("id", it["uniqueid"]),
        ("codecs", ", ".join(it["codecs"])),
        ("ports", ", ".join(f"{name} {port}" for name, port in it["ports"].items())),
        ("shown to Moonlight", f"{it['app_version']}, {it['gfe_version']}"),
    )


def _reason(it: dict[str, Any]) -> str:
    return "; ".join(part for part in (it.get("reason"), it.get("hint")) if part)
