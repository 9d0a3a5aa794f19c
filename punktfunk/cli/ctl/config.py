"""`punktfunk ctl config`: the settings of a running host."""

import json
from typing import Any
from urllib.parse import urlencode

import click

from punktfunk.cli.ctl.asking import Ctl, Noun, make_sense, verb
from punktfunk.cli.ctl.tables import Facts, Shown, Table
from punktfunk.config.catalogue import KNOWN
from punktfunk.config.environment import value_of
from punktfunk.errors import Refused


@click.group(cls=Noun, bare="get")
def config() -> None:
    """Look at settings and change them."""


@config.command()
@click.argument("key", required=False)
@verb
def get(ctl: Ctl, key: str | None) -> None:
    """Show every setting, or one with all that is known of it. The default."""
    found = ctl.ask("GET", "/config")
    if key is None:
        waiting = make_sense(found, lambda it: list(it["restart_required"]))
        ctl.show(found, lambda it: _settings(it["settings"], waiting))
        return
    settings = make_sense(found, lambda it: {one["key"]: one for one in it["settings"]})
    if key not in settings:
        raise Refused(f"there is no setting {key}", status=404)
    ctl.show(settings[key], _setting)


@config.command("set")
@click.argument("key")
@click.argument("value")
@verb
def set_value(ctl: Ctl, key: str, value: str) -> None:
    """Write a setting into the host's file; a list has commas, other things are JSON."""
    ctl.show(ctl.ask("PATCH", "/config", {"set": {key: _value(key, value)}}), _change)


@config.command()
@click.argument("key")
@verb
def unset(ctl: Ctl, key: str) -> None:
    """Take a setting out of the host's file."""
    ctl.show(ctl.ask("PATCH", "/config", {"unset": [key]}), _change)


@config.command()
@click.option("--app", metavar="ID", help="Of this app, like steam:570.")
@click.option("--client", metavar="FINGERPRINT", help="For this device.")
@verb
def explain(ctl: Ctl, app: str | None, client: str | None) -> None:
    """Show what a session would get, and where each value comes from."""
    query = urlencode({"app": app or "", "client": client or ""})
    ctl.show(ctl.ask("GET", f"/config/explain?{query}"), lambda found: _settings(found, []))


@config.command()
@verb
def reload(ctl: Ctl) -> None:
    """Have the host read its file again."""
    ctl.show(ctl.ask("POST", "/config/reload"), _change)


def _value(key: str, text: str) -> object:
    if known := KNOWN.get(key):
        return value_of(text, known.rule)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _settings(found: list[dict[str, Any]], waiting: list[str]) -> Shown:
    return Table(
        ("SETTING", "VALUE", "FROM"),
        (
            (
                it["key"],
                _text(it["value"]),
                _origin(it) + (" (after a new start)" if it["key"] in waiting else ""),
            )
            for it in found
        ),
        wide=1,
    )


def _setting(it: dict[str, Any]) -> Shown:
    return Facts(
        ("setting", it["key"]),
        ("value", _text(it["value"])),
        ("default", _text(it["default"])),
        ("from", _origin(it)),
        ("may be", it["expects"]),
        ("means", it["doc"]),
    )


def _change(it: dict[str, Any]) -> Shown:
    return Facts(
        ("changed", ", ".join(it["changed"]) or "nothing"),
        ("after a new start", ", ".join(it["restart_required"]) or None),
        ("overridden", ", ".join(it["overridden"]) or None),
    )


def _origin(it: dict[str, Any]) -> str:
    return it["place"] or str(it["source"])


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
