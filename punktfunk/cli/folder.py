"""What every command that reads the configuration shares."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from punktfunk.config import LoadedConfig, config_folder, load_config
from punktfunk.registry.discovery import PLUGIN_GROUP, installed

F = TypeVar("F", bound=Callable[..., Any])


def folder_option(command: F) -> F:
    """Give a command `--config-dir`; it receives the absolute folder as `folder`.

    A command of a group that has the option too takes the group's when it has none itself.
    """

    def absolute(context: click.Context, parameter: click.Parameter, value: str | None) -> Path:
        group = context.parent.params.get("folder") if context.parent else None
        return group if group and not value else config_folder(value, os.environ)

    return click.option(
        "--config-dir",
        "folder",
        metavar="DIR",
        callback=absolute,
        help="Configuration folder. [default: $PUNKTFUNK_CONFIG_DIR or ~/.config/punktfunk]",
    )(command)


json_option = click.option("--json", "as_json", is_flag=True, help="Print it for a program.")


def load(folder: Path, flags: Mapping[str, tuple[str, object]] | None = None) -> LoadedConfig:
    """Load the configuration and tell on standard error what is odd about it."""
    plugins = installed(PLUGIN_GROUP).chosen
    loaded = load_config(folder, environment=os.environ, flags=flags, plugins=plugins)
    for warning in loaded.warnings:
        click.echo(f"punktfunk: {warning}", err=True)
    return loaded
