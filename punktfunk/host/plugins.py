"""Every installed plugin and what became of it."""

from collections.abc import Sequence

from punktfunk.config import LoadedConfig, Settings
from punktfunk.registry.discovery import PluginFilter, PluginState
from punktfunk.registry.facts import gather_facts
from punktfunk.registry.prober import probe
from punktfunk.registry.report import PluginReport, ProbeReport

_WELL = frozenset({PluginState.LOADED, PluginState.DISABLED})


def plugin_filter(settings: Settings) -> PluginFilter:
    """What `[plugins]` allows; an empty list allows all."""
    allow = frozenset(settings.plugins.allow) or None
    return PluginFilter(allow=allow, deny=frozenset(settings.plugins.deny))


async def examine(loaded: LoadedConfig) -> ProbeReport:
    """Ask all of them in a child process, as the host does at its start."""
    settings = loaded.settings
    return await probe(gather_facts(settings.plugin), plugin_filter(settings))


def all_well(report: ProbeReport) -> bool:
    """Say whether every plugin is loaded, or left out on purpose."""
    return all(it.record.state in _WELL and not it.problems for it in report.plugins)


def changed_plugins(before: ProbeReport, after: ProbeReport) -> Sequence[PluginReport]:
    """Those that are new, or have another state or other offers than before."""
    return [it for it in after.plugins if it not in before.plugins]


def as_text(report: ProbeReport) -> str:
    """Return a paragraph a plugin."""
    if not report.plugins:
        return "No plugin is installed."
    return "\n\n".join("\n".join(_paragraph(plugin)) for plugin in report.plugins)


def _paragraph(plugin: PluginReport) -> list[str]:
    record = plugin.record
    api = f", API {record.api}" if record.api is not None else ""
    title = f"{record.title}, " if record.title else ""
    lines = [f"{record.name}: {record.state}"]
    lines.append(f"  {title}{record.distribution} {record.version}{api}")
    if record.reason:
        lines.append(f"  {record.reason}")
    if plugin.status is not None and not plugin.status.available:
        hint = f" ({plugin.status.hint})" if plugin.status.hint else ""
        lines.append(f"  says: {plugin.status.reason}{hint}")
    lines += [f"  problem: {problem}" for problem in plugin.problems]
    for offer in plugin.offers:
        availability = offer.availability
        verdict = "available" if availability.available else f"no: {availability.reason}"
        hint = f" ({availability.hint})" if availability.hint else ""
        lines.append(f"  {offer.kind} {offer.driver}: {verdict}{hint}")
    return lines
