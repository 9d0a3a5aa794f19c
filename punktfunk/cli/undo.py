"""`punktfunk undo`: takes back what sessions left behind, with and without a running host."""

import asyncio
import json
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import click

from punktfunk.cli import logs
from punktfunk.cli.api_client import ApiClient
from punktfunk.cli.ctl.machine import UNDO_TIMEOUT_S, effects_table
from punktfunk.cli.folder import folder_option, json_option, load
from punktfunk.cli.target import NoHost, local_host
from punktfunk.errors import Refused

Found = list[dict[str, Any]]
"""As the management API has it, also when there is none to ask."""


class _Undoer(Protocol):
    def find(self) -> Found: ...
    def undo(self) -> None: ...
    def forget(self, effect_id: str) -> None: ...


@click.command()
@click.option("--list", "only_list", is_flag=True, help="Only show it.")
@click.option("--forget", "effect_id", metavar="ID", help="Give one up that cannot be taken back.")
@folder_option
@json_option
def undo(only_list: bool, effect_id: str | None, folder: Path, as_json: bool) -> None:
    """Take back what sessions that are over left on this machine.

    Works with and without a running host. Status 1 when something is left.
    """
    undoer = _undoer(folder)
    if effect_id is not None:
        undoer.forget(effect_id)
        click.echo("punktfunk: it is forgotten", err=True)
        return
    if not only_list:
        undoer.undo()
    found = undoer.find()
    if as_json:
        click.echo(json.dumps(found, indent=2))
    elif found:
        click.echo(effects_table(found).text())
    else:
        click.echo("punktfunk: nothing is left behind", err=True)
    if any(it["running"] for it in found):
        message = "sessions run; what they did is taken back when they end"
        click.echo(f"punktfunk: {message}: punktfunk ctl sessions stop", err=True)
    if not only_list and any(it["state"] == "pending" for it in found):
        raise SystemExit(1)


def _undoer(folder: Path) -> _Undoer:
    try:
        return _ByHost(ApiClient(local_host(folder)))
    except NoHost:
        return _Alone(folder)


class _ByHost:
    """The host knows which sessions run."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api

    def find(self) -> Found:
        return list(self._api.ask("GET", "/undo"))

    def undo(self) -> None:
        self._api.ask("POST", "/undo", timeout_s=UNDO_TIMEOUT_S)

    def forget(self, effect_id: str) -> None:
        self._api.ask("DELETE", f"/undo/{quote(effect_id, safe='')}")


class _Alone:
    """No host runs, and so no session."""

    def __init__(self, folder: Path) -> None:
        from punktfunk.host.cleanup import Cleaner
        from punktfunk.host.plugins import plugin_filter
        from punktfunk.registry.facts import gather_facts

        logs.set_up("error")
        settings = load(folder).settings
        self._cleaner = Cleaner(
            folder / "journal", gather_facts(settings.plugin), plugin_filter(settings)
        )

    def find(self) -> Found:
        from punktfunk.mgmt.as_json import to_json
        from punktfunk.mgmt.values import Leftover

        return [to_json(Leftover.of(it, running=False)) for it in self._cleaner.entries()]

    def undo(self) -> None:
        asyncio.run(self._cleaner.clean_all())

    def forget(self, effect_id: str) -> None:
        found = [it for it in self._cleaner.entries() if it.id == effect_id]
        if not found:
            raise Refused("nothing that is left behind has that id: punktfunk undo --list")
        for entry in found:
            self._cleaner.give_up(entry)
