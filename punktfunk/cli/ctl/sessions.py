"""`punktfunk ctl sessions`: what runs, and its end."""

from typing import Any

import click

from punktfunk.cli.ctl.asking import Ctl, Noun, make_sense, verb
from punktfunk.cli.ctl.tables import Shown, Table, mode, number
from punktfunk.errors import Refused


@click.group(cls=Noun, bare="list")
def sessions() -> None:
    """Show or end what clients have running."""


@sessions.command("list")
@verb
def list_sessions(ctl: Ctl) -> None:
    """Show every session. The default."""
    ctl.show(_sessions(ctl), session_table, none="nothing is running")


@sessions.command()
@click.argument("session_id", metavar="[ID]", type=click.IntRange(0, 2**31 - 1), required=False)
@verb
def stop(ctl: Ctl, session_id: int | None) -> None:
    """End one session, or all of them without ID, with its stream and app."""
    if session_id is None:
        ctl.ask("DELETE", "/session")
        ctl.remark("all sessions are stopped")
        return
    if all(make_sense(it, lambda it: it["id"]) != session_id for it in _sessions(ctl)):
        raise Refused(f"there is no session {session_id}", status=404)
    ctl.ask("DELETE", f"/session?id={session_id}")
    ctl.remark(f"session {session_id} is stopped")


@sessions.command()
@click.argument("stream_id", metavar="STREAM", type=click.IntRange(0, 2**31 - 1))
@verb
def drop(ctl: Ctl, stream_id: int) -> None:
    """End one device's STREAM; the app goes on. A guest leaves the session with it."""
    ctl.ask("DELETE", f"/session/stream/{stream_id}")
    ctl.remark(f"stream {stream_id} is stopped")


@sessions.command()
@click.argument("session_id", metavar="[ID]", type=click.IntRange(0, 2**31 - 1), required=False)
@verb
def idr(ctl: Ctl, session_id: int | None) -> None:
    """Have the streams of one session, or all, start with a whole picture again."""
    ctl.ask("POST", "/session/idr" if session_id is None else f"/session/idr?id={session_id}")
    ctl.remark("a whole picture was asked for")


def session_table(found: list[dict[str, Any]]) -> Shown:
    return Table(
        ("ID", "APP", "CLIENT", "ROLE", "DISPLAY", "STREAM", "CODEC", "FPS", "MBIT/S", "LATENCY"),
        (
            (
                it["id"],
                it["app"],
                client["client_name"],
                client["role"],
                mode(it),
                _number(client.get("stream_id")),
                _stream(client),
                *_figures(client.get("stats")),
            )
            for it in found
            for client in it["clients"]
        ),
        wide=1,
    )


def _sessions(ctl: Ctl) -> list[dict[str, Any]]:
    return make_sense(ctl.ask("GET", "/status"), lambda it: list(it["sessions"]))


def _stream(it: dict[str, Any]) -> str:
    stream = it.get("stream")
    if not stream:
        return "connecting" if it["streaming"] else "away"
    return f"{stream['codec']} {mode(stream)}"


def _figures(stats: dict[str, Any] | None) -> tuple[str, ...]:
    if not stats:
        return "", "", ""
    return number(stats["fps"]), number(stats["mbps"]), f"{stats['latency_p50_us'] / 1_000:.1f} ms"


def _number(stream_id: int | None) -> str:
    return "" if stream_id is None else str(stream_id)
