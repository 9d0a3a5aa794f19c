"""Commands that look and change nothing: `doctor`, `plugins`, `config`, `openapi`."""

import asyncio
import json
import os
from pathlib import Path

import attrs
import click

from punktfunk.cli import logs
from punktfunk.cli.folder import folder_option, json_option, load
from punktfunk.config.chain import explain
from punktfunk.config.report import config_as_json, config_as_text


@click.command()
@folder_option
@json_option
def doctor(folder: Path, as_json: bool) -> None:
    """Show what this machine can stream with, and what is in the way."""
    from punktfunk.host.doctor import examine
    from punktfunk.host.plugins import plugin_filter

    logs.set_up("error")
    loaded = load(folder)
    report = asyncio.run(examine(loaded, folder, plugin_filter(loaded.settings), os.environ))
    click.echo(_json(report.to_json()) if as_json else report.to_text())
    raise SystemExit(0 if report.can_stream else 1)


@click.command()
@folder_option
@json_option
def plugins(folder: Path, as_json: bool) -> None:
    """Show every installed plugin and what became of it."""
    from punktfunk.host import plugins as plugin_list

    logs.set_up("error")
    loaded = load(folder)
    report = asyncio.run(plugin_list.examine(loaded))
    plain = report.to_json()["plugins"]
    click.echo(_json(plain) if as_json else plugin_list.as_text(report))
    raise SystemExit(0 if plugin_list.all_well(report) else 1)


@click.group(invoke_without_command=True)
@folder_option
@json_option
@click.pass_context
def config(context: click.Context, folder: Path, as_json: bool) -> None:
    """Show every setting, its value, and where that came from."""
    if context.invoked_subcommand is None:
        loaded = load(folder)
        click.echo(_json(config_as_json(loaded)) if as_json else config_as_text(loaded))


@config.command("explain")
@click.option("--app", default="", metavar="ID", help="Library id, such as steam:570.")
@click.option("--client", default="", metavar="FINGERPRINT", help="See: punktfunk clients")
@folder_option
@json_option
def explain_config(app: str, client: str, folder: Path, as_json: bool) -> None:
    """Show what the sessions of an app, a client, or both get, and who says so."""
    found = explain(load(folder), app, client.lower())
    if as_json:
        plain = [{**attrs.asdict(it, recurse=False), "origin": str(it.origin)} for it in found]
        click.echo(_json(plain))
        return
    for it in found:
        value = json.dumps(it.value, ensure_ascii=False)
        click.echo(f"{it.key} = {value}  # {it.origin}")


@click.command()
def openapi() -> None:
    """Print the management API's OpenAPI document."""
    from punktfunk.mgmt.contract import spec_text

    click.echo(spec_text().decode(), nl=False)


def _json(plain: object) -> str:
    return json.dumps(plain, indent=2, ensure_ascii=False)
