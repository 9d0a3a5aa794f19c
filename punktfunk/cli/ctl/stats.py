"""`punktfunk ctl stats`: captures of what streams do, second by second."""

from typing import Any
from urllib.parse import quote

import click

from punktfunk.cli.ctl.asking import Ctl, F, Noun, verb
from punktfunk.cli.ctl.tables import Facts, Lines, Shown, Table, ago, lasting, mode, number

SHOWN_SAMPLES = 20

_SAMPLE = ("AT", "SESSION", "FPS", "REPEATED", "MBIT/S", "TARGET", "DROPPED", "LOST", "REBUILT")


def _last_option(command: F) -> F:
    return click.option(
        "--last",
        type=click.IntRange(0),
        default=SHOWN_SAMPLES,
        metavar="N",
        help=f"How many samples to show, 0 for all; --json has all. [default: {SHOWN_SAMPLES}]",
    )(command)


@click.group(cls=Noun, bare="status")
def stats() -> None:
    """Record what streams do, and look at it."""


@stats.command()
@verb
def status(ctl: Ctl) -> None:
    """Show whether a capture is recording. The default."""
    ctl.show(ctl.ask("GET", "/stats/capture/status"), _status)


@stats.command()
@verb
def start(ctl: Ctl) -> None:
    """Start a capture."""
    ctl.show(ctl.ask("POST", "/stats/capture/start"), _status)


@stats.command()
@_last_option
@verb
def live(ctl: Ctl, last: int) -> None:
    """Show what the running capture has so far."""
    ctl.show(ctl.ask("GET", "/stats/capture/live"), lambda it: _capture(it, last))


@stats.command()
@verb
def stop(ctl: Ctl) -> None:
    """End the capture and keep it as a recording."""
    meta = ctl.ask("POST", "/stats/capture/stop")
    ctl.show(meta, lambda it: _recordings([it]), none="no capture was recording")


@stats.command()
@verb
def recordings(ctl: Ctl) -> None:
    """Show the recordings that are kept."""
    ctl.show(ctl.ask("GET", "/stats/recordings"), _recordings, none="there are no recordings")


@stats.command()
@click.argument("recording_id", metavar="ID")
@_last_option
@verb
def show(ctl: Ctl, recording_id: str, last: int) -> None:
    """Show a recording."""
    ctl.show(ctl.ask("GET", _path(recording_id)), lambda it: _capture(it, last))


@stats.command()
@click.argument("recording_id", metavar="ID")
@verb
def delete(ctl: Ctl, recording_id: str) -> None:
    """Remove a recording."""
    ctl.ask("DELETE", _path(recording_id))
    ctl.remark("it is gone")


def _path(recording_id: str) -> str:
    return f"/stats/recordings/{quote(recording_id, safe='')}"


def _status(it: dict[str, Any]) -> Shown:
    return Facts(
        ("recording", it["armed"]),
        ("samples", it["sample_count"]),
        ("started", ago(it["started_unix_ms"] / 1_000) if it["armed"] else None),
    )


def _recordings(found: list[dict[str, Any]]) -> Shown:
    return Table(
        ("ID", "STARTED", "LASTED", "STREAM", "CLIENT", "SAMPLES"),
        (
            (
                it["id"],
                ago(it["started_unix_ms"] / 1_000),
                lasting(it["duration_ms"] / 1_000),
                f"{it['codec']} {mode(it)}" if it["codec"] else "",
                it["client"],
                it["sample_count"],
            )
            for it in found
        ),
    )


def _capture(it: dict[str, Any], last: int) -> Shown:
    head, samples = _recordings([it["meta"]]), it["samples"]
    if not samples:
        return head
    stages = [stage["name"] for stage in samples[-1]["stages"]]
    table = Table(
        (*_SAMPLE, *(f"{name.upper()} MS" for name in stages)),
        (_sample(sample, stages) for sample in samples[-last:]),
    )
    return Lines(head, "", table)


def _sample(it: dict[str, Any], stages: list[str]) -> tuple[object, ...]:
    median_us = {stage["name"]: stage["p50_us"] for stage in it["stages"]}
    return (
        lasting(it["t_ms"] / 1_000),
        it["session_id"],
        number(it["fps"]),
        number(it["repeat_fps"]),
        number(it["mbps"]),
        number(it["bitrate_kbps"] / 1_000),
        it["frames_dropped"] + it["send_dropped"],
        it["packets_dropped"],
        it["fec_recovered"],
        *(f"{median_us.get(name, 0) / 1_000:.2f}" for name in stages),
    )
