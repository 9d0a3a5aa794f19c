"""`punktfunk ctl events`: what happened, and what happens."""

import fnmatch
import re
from contextlib import closing
from typing import Any

import click

from punktfunk.cli.ctl.asking import Ctl, print_json, verb
from punktfunk.cli.ctl.clients import SHOWN_DIGITS
from punktfunk.cli.ctl.following import SILENCE_S, Told, following
from punktfunk.cli.ctl.tables import clock
from punktfunk.cli.event_stream import EventStream
from punktfunk.cli.printable import printable
from punktfunk.cli.target import NoHost

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_SINCE = re.compile(r"(?:(?P<boot>[0-9a-f]{8})-)?(?P<number>[0-9]{1,15})")
_OF_ANOTHER_HOST = "00000000-0"  # so that this one tells all it has kept


@click.command()
@click.option("--follow", "-f", is_flag=True, help="Go on with what happens, until Ctrl-C.")
@click.option("--types", metavar="T", help="Only these, with commas: session.*,client.paired")
@click.option("--since", metavar="ID", help="Only what came after the event with this id.")
@verb
def events(ctl: Ctl, follow: bool, types: str | None, since: str | None) -> None:
    """Show the events that the host remembers, or follow them as they come.

    With --json there is one JSON object a line. ID is the number of an event, or what --follow
    names when it ends, which a host that was restarted meanwhile recognises.
    """
    if since is not None and not _SINCE.fullmatch(since):
        raise click.BadParameter("--since is the number of an event")
    with closing((_follow if follow else _kept)(ctl, types, since)) as told:
        try:
            for event in told:
                if ctl.as_json:
                    print_json(event, indent=None)
                else:
                    click.echo(_line(event))
        except KeyboardInterrupt:
            pass


def _kept(ctl: Ctl, types: str | None, since: str | None) -> Told:
    """Nothing marks where the past ends, so the first connection asks for the newest event."""
    wanted = [pattern.strip() for pattern in types.split(",")] if types else ["*"]
    with ctl.client().events(types) as stream:  # the host judges the types
        newest = _position(stream)
    after = _token(since, newest) if since else _OF_ANOTHER_HOST
    with ctl.client().events(None, after) as stream:
        position = _position(stream)
        while position[0] == newest[0] and position[1] < newest[1]:
            event = stream.next(SILENCE_S)
            position = _position_of(stream.last)
            if event is None or (event["type"] == "gap" and since is None):
                continue
            if any(fnmatch.fnmatch(event["type"], pattern) for pattern in wanted):
                yield event


def _follow(ctl: Ctl, types: str | None, since: str | None) -> Told:
    """Come back after every break, without end."""
    last: str | None = None
    if since is not None:
        with ctl.client().events() as stream:
            last = _token(since, _position(stream))
    yield from following(ctl, lambda token: ctl.client().events(types, token), last, "--since")


def _position(stream: EventStream) -> tuple[str, int]:
    """Where a stream begins: which run of the host, and the number of the last event before."""
    stream.next(SILENCE_S)
    return _position_of(stream.last)


def _position_of(token: str) -> tuple[str, int]:
    match = _SINCE.fullmatch(token)
    if match is None or match["boot"] is None:
        raise NoHost("the host does not say where its events begin")
    return match["boot"], int(match["number"])


def _token(since: str, position: tuple[str, int]) -> str:
    """A number alone is that of the run of the host that is asked."""
    return since if "-" in since else f"{position[0]}-{since}"


def _line(event: dict[str, Any]) -> str:
    if event["type"] == "gap":
        return f"--:--:--  some events may be missing: {printable(event.get('reason'))}"
    data = (f"{name}={_value(value)}" for name, value in event.get("data", {}).items())
    number, time_ms = event.get("id"), event.get("time_unix_ms")
    when = clock(time_ms) if isinstance(time_ms, int) else "--:--:--"
    return printable(f"{when}  {number!s:>5}  {event['type']:<18}  {' '.join(data)}").rstrip()


def _value(value: object) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    if _FINGERPRINT.fullmatch(text):
        return text[:SHOWN_DIGITS]
    return f'"{text}"' if " " in text or not text else text
