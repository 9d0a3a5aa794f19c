"""How a plugin that is not loaded is got to work again."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import attrs

from punktfunk.config import Settings
from punktfunk.console.language import _
from punktfunk.mgmt.operations_values import PluginInfo
from punktfunk.registry.discovery import CORE_DISTRIBUTION, PluginState


@attrs.frozen
class Repair:
    """Attributes:
    command: To run on the host's machine; empty where there is none.
    restart: It counts only when the host has been started anew.
    """

    text: str
    command: str = ""
    restart: bool = True


def repair_of(plugin: PluginInfo, settings: Settings) -> Repair | None:
    """None where nothing is wrong with it."""
    if plugin.state == PluginState.DISABLED:
        return Repair(_("The settings keep it out. To let it in:"), _let_in(plugin.name, settings))
    if plugin.state == PluginState.RESTING:
        return Repair(_("It is left alone for five minutes, then tried again."), restart=False)
    if plugin.state == PluginState.INCOMPATIBLE:
        return Repair(_("Get a version of it for this host:"), _pip("--upgrade", plugin))
    if plugin.state == PluginState.BROKEN and "[plugin." in plugin.reason:
        return Repair(_("Correct that line in config.toml."))
    if plugin.state == PluginState.BROKEN:
        text = _("Install it anew; if that changes nothing, tell its author:")
        return Repair(text, _pip("--force-reinstall", plugin))
    return None


def _let_in(name: str, settings: Settings) -> str:
    plugins = settings.plugins
    if name in plugins.deny:
        return _set("deny", [it for it in plugins.deny if it != name])
    return _set("allow", [*plugins.allow, name])


def _set(key: str, names: Sequence[str]) -> str:
    if not names:
        return f"punktfunk ctl config unset plugins.{key}"
    return f"punktfunk ctl config set plugins.{key} {shlex.quote(','.join(names))}"


def _pip(option: str, plugin: PluginInfo) -> str:
    """The core's own plugins come with it."""
    beside = Path(sys.executable).with_name("pip")
    pip = str(beside) if beside.exists() else "pip"
    return shlex.join([pip, "install", option, plugin.distribution or CORE_DISTRIBUTION])
