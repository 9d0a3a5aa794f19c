"""`punktfunk ctl config`: the settings of a running host."""

import contextlib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlencode

import click

from punktfunk.cli.ctl.asking import Ctl, Noun, make_sense, verb
from punktfunk.cli.ctl.tables import Facts, Shown, Table
from punktfunk.config.catalogue import ENTRIES, KNOWN, KNOWN_IN_ENTRIES, PLUGIN_TABLES
from punktfunk.config.environment import value_of
from punktfunk.config.rules import Rule
from punktfunk.errors import Refused

_LIST = Rule(type=tuple)


@click.group(cls=Noun, bare="get")
def config() -> None:
    """Look at settings and change them."""


@config.command()
@click.argument("key", required=False)
@verb
def get(ctl: Ctl, key: str | None) -> None:
    """Show every setting, those that begin with KEY, or one with all that is known of it.

    The default. KEY may be like stream, stream.max_fps, hook, hook[0] or plugin.roms.
    """
    found = ctl.ask("GET", "/config")
    waiting = make_sense(found, lambda it: list(it["restart_required"]))
    settings = make_sense(found, lambda it: {one["key"]: one for one in _all(it)})
    if key is None:
        ctl.show(found, lambda _: _settings(settings.values(), waiting))
    elif key in settings:
        ctl.show(settings[key], _setting)
    elif below := [it for name, it in settings.items() if name.startswith((f"{key}.", f"{key}["))]:
        ctl.show(below, lambda found: _settings(found, waiting))
    elif re.split(r"[.\[]", key)[0] in {*ENTRIES, PLUGIN_TABLES}:
        raise Refused(f"{key} is not set", status=404)
    else:
        raise Refused(f"there is no setting {key}", status=404)


@config.command("set")
@click.argument("key")
@click.argument("value")
@verb
def set_value(ctl: Ctl, key: str, value: str) -> None:
    """Write a setting into the host's file.

    A list has commas between its words. Plugins' settings, hook and the like are JSON, such as
    '["~/ROMs"]'; what is none is a string, or words of a list where the setting is one already.
    """
    ctl.show(ctl.ask("PATCH", "/config", {"set": {key: _value(ctl, key, value)}}), _change)


@config.command()
@click.argument("key")
@verb
def unset(ctl: Ctl, key: str) -> None:
    """Take a setting out of the host's file."""
    ctl.show(ctl.ask("PATCH", "/config", {"unset": [key]}), _change)


@config.command()
@click.option("--app", metavar="ID", help="Of this app, like steam:570.")
@click.option(
    "--client", metavar="FINGERPRINT", help="For this device; eight digits or more will do."
)
@verb
def explain(ctl: Ctl, app: str | None, client: str | None) -> None:
    """Show what a session would get, and where each value comes from."""
    query = urlencode({"app": app or "", "client": client or ""})
    ctl.show(ctl.ask("GET", f"/config/explain?{query}"), lambda found: _settings(found, []))


@config.command()
@click.option("--app", metavar="ID", default="", help="Of this app, like steam:570.")
@click.option("--client", metavar="FINGERPRINT", default="", help="Of this device.")
@click.argument("values", metavar="[NAME=VALUE]...", nargs=-1)
@verb
def override(ctl: Ctl, app: str, client: str, values: tuple[str, ...]) -> None:
    """Say what an app's or a device's sessions get of their own, like max_fps=60.

    What is not named is not their own any more. A list has commas between its words.
    """
    wanted = {"app": app, "client": client, "settings": dict(map(_own_value, values))}
    ctl.show(ctl.ask("PUT", "/config/override", wanted), _change)


@config.command()
@verb
def reload(ctl: Ctl) -> None:
    """Have the host read its file again."""
    ctl.show(ctl.ask("POST", "/config/reload"), _change)


def _own_value(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"{text}: write NAME=VALUE")
    known = KNOWN_IN_ENTRIES.get(f"override.{name}")
    return name, value_of(value, known.rule) if known else value


def _value(ctl: Ctl, key: str, text: str) -> object:
    if known := KNOWN.get(key):
        return value_of(text, known.rule)
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(text)
    if key.startswith(f"{PLUGIN_TABLES}."):
        now = make_sense(ctl.ask("GET", "/config"), lambda it: {a["key"]: a for a in _all(it)})
        if key in now and isinstance(now[key]["value"], list):
            return value_of(text, _LIST)
    return text


def _all(plain: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from plain["settings"]
    yield from _below(PLUGIN_TABLES, plain["plugin"])


def _below(key: str, value: object) -> Iterator[dict[str, Any]]:
    """A plugin's settings as far as the host tells: they are what the file says."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _below(f"{key}.{name}", member)
    else:
        yield {"key": key, "value": value, "source": "file", "place": ""}


def _waits(key: str, waiting: list[str]) -> bool:
    return any(key == it or key.startswith(f"{it}.") for it in waiting)


def _settings(found: Iterable[dict[str, Any]], waiting: list[str]) -> Shown:
    return Table(
        ("SETTING", "VALUE", "FROM"),
        (
            (
                it["key"],
                _text(it["value"]),
                _origin(it) + (" (after a new start)" if _waits(it["key"], waiting) else ""),
            )
            for it in found
        ),
        wide=1,
    )


def _setting(it: dict[str, Any]) -> Shown:
    return Facts(
        ("setting", it["key"]),
        ("value", _text(it["value"])),
        ("default", _text(it["default"]) if "default" in it else None),
        ("from", _origin(it)),
        ("may be", it.get("expects")),
        ("means", it.get("doc")),
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
