"""Gives a device its PIN and waits for what comes of it."""

import time
from contextlib import ExitStack
from typing import Any

from punktfunk.cli.api_client import ApiClient
from punktfunk.cli.event_stream import EventStream, Silence
from punktfunk.cli.printable import printable
from punktfunk.errors import Refused

OUTCOME_LIMIT_S = 15.0
"""A device needs a second or two once the PIN is there."""


def give_pin(api: ApiClient, pin: str, attempt_id: int | None) -> str:
    """Let the device that shows this PIN stream; return the name of the one that was paired.

    Raises:
        Refused: no device waits or several do, the PIN was wrong, the device gave up, or
            nothing more was heard of it. The message says which.
    """
    waiting = api.ask("GET", "/pair").get("pending", [])
    if attempt_id is None and len(waiting) > 1:
        devices = "; ".join(f"--id {it['id']} for {_device(it)}" for it in waiting)
        raise Refused(f"several devices wait for a PIN, say which one: {devices}", status=409)
    chosen = next((it for it in waiting if attempt_id in (None, it["id"])), None)
    with ExitStack() as stack:
        try:  # before the PIN goes out, as the answer may be quick
            stream = stack.enter_context(api.events("pairing.failed,client.paired"))
        except Refused:  # too many follow already
            stream = None
        api.ask("POST", "/pair/pin", {"pin": pin, "id": chosen["id"] if chosen else attempt_id})
        return _outcome(stream, chosen)


def _outcome(stream: EventStream | None, chosen: dict[str, Any] | None) -> str:
    until = time.monotonic() + OUTCOME_LIMIT_S
    while stream and (left_s := until - time.monotonic()) > 0:
        try:
            event = stream.next(left_s)
        except Silence:
            break
        data = event.get("data", {}) if event else {}
        if event is None or not _is_about(chosen, data):
            continue
        if event["type"] == "client.paired":
            return str(data.get("name", ""))
        if data.get("reason") == "wrong_pin":
            raise Refused("the PIN was wrong: let the device start again, it shows a new one")
        raise Refused("the device gave up: let it start again")
    raise Refused("the PIN was passed on, but whether it was right is not known: ask the device")


def _is_about(chosen: dict[str, Any] | None, data: dict[str, Any]) -> bool:
    """Whether an event is that device's: a failure says whose, of a paired one there is a name."""
    if chosen is None or "pairing_id" in data:
        return chosen is None or bool(chosen["id"] == data["pairing_id"])
    return bool(chosen["client_name"] == data.get("name"))


def _device(waiting: dict[str, Any]) -> str:
    return f"{printable(waiting['client_name'])} at {printable(waiting['address'])}"
