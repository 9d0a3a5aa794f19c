"""What this machine can do: the last probe's offers, and what would be picked."""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence

from punktfunk.config.settings import Settings
from punktfunk.errors import ConfigError, Refused
from punktfunk.host.apps import DESKTOP_ID
from punktfunk.host.policy import preferences
from punktfunk.mgmt.operations_values import Outlook
from punktfunk.model.apps import App
from punktfunk.model.offers import Choice, HostFacts, Kind, Offer
from punktfunk.model.session import DriverRef
from punktfunk.registry.calls import implements
from punktfunk.registry.discovery import PluginFilter, PluginState
from punktfunk.registry.facts import gather_facts
from punktfunk.registry.loading import load_plugins
from punktfunk.registry.prober import probe
from punktfunk.registry.ranking import choose
from punktfunk.registry.report import ProbeReport
from punktfunk.registry.settings import plugin_settings
from punktfunk.session.plan import cast_drivers

_WRONG_SETTING = re.compile(r"\[plugin\.(?P<plugin>\w+)\] (?P<key>\S+): ")

log = logging.getLogger(__name__)


class Catalog:
    """The plugins of this host and their offers.

    Attributes:
        report: The last probe; empty before the first.
        plugins: Loaded into the host; never one that brought the probe child down. The same object
        until one comes, goes, or stands differently.
    """

    def __init__(self, settings: Settings, facts: HostFacts, wanted: PluginFilter) -> None:
        self.report = ProbeReport()
        self.plugins = load_plugins(PluginFilter(allow=frozenset()))
        self.preferences = preferences(settings.drivers)
        self._facts = facts
        self._wanted = wanted
        self._plugin_tables = settings.plugin
        self._attach = settings.desktop.mode == "attach"

    def use(self, settings: Settings) -> None:
        """From now on prefer what these settings say."""
        self.preferences = preferences(settings.drivers)
        self._attach = settings.desktop.mode == "attach"

    async def refresh(self) -> ProbeReport:
        """Ask every plugin again, in a child process."""
        self.report = await probe(self._facts, self._wanted)
        # Reads what is installed and imports it: beside the event loop.
        loaded = await asyncio.to_thread(load_plugins, self._wanted, self.report.quarantine())
        if not self.plugins.is_same_as(loaded):
            self.plugins = loaded
        for plugin in self.report.plugins:
            for problem in plugin.problems:
                log.warning("plugin %s: %s", plugin.record.name, problem)
        return self.report

    async def look_anew(self) -> ProbeReport:
        """Ask every plugin again, about the machine as it is now."""
        self._facts = gather_facts(self._plugin_tables)
        return await self.refresh()

    def check_settings(self, place: Callable[[str], str]) -> None:
        """Hold each plugin's table of the configuration to its manifest.

        Args:
            place: Names the place of a key in the file.

        Raises:
            ConfigError: a key the plugin does not know, or a value of the wrong type.
        """
        for plugin in self.report.plugins:
            record = plugin.record
            # The probe child checked each table; a plugin that it could not use is not loaded
            # here, so its words are all there is.
            wrong = _WRONG_SETTING.match(record.reason)
            if record.state is PluginState.BROKEN and wrong:
                where = place(f"plugin.{wrong['plugin']}.{wrong['key']}")
                raise ConfigError(f"{where}: {record.reason}")

    def check_tables(self, settings: Settings) -> None:
        """Like `check_settings`, for a configuration that is about to count.

        Raises:
            ConfigError: as there. A plugin that is not loaded knows no settings.
        """
        for name, manifest in self.plugins.manifests.items():
            plugin_settings(manifest, settings.plugin.get(name, {}), name=name)

    def unknown_names(self, settings: Settings) -> Sequence[str]:
        """Name what `[drivers]` and `[plugins]` speak of and nobody has, a sentence each."""
        found = []
        for kind, names in self.preferences.order.items():
            known = {offer.driver for offer in self.offers(kind)}
            found += [
                f"drivers.{kind} names {name!r}, and no plugin offers a {kind} driver of that name"
                for name in names
                if name not in known
            ]
        installed = {plugin.record.name for plugin in self.report.plugins}
        for key in ("allow", "deny"):
            found += [
                f"plugins.{key} names {name!r}, and no such plugin is installed"
                for name in getattr(settings.plugins, key)
                if name not in installed
            ]
        return found

    def stores(self) -> Sequence[str]:
        """Name the plugins that list games."""
        manager = self.plugins.manager
        return [it for it in self.plugins.names if implements(manager, it, "library_games")]

    def offers(self, kind: Kind) -> Sequence[Offer]:
        return self.report.offers(kind)

    def choice(self, kind: Kind) -> Choice:
        """What a session that wishes for nothing special would get."""
        order = self.preferences.of(kind)
        return choose(kind, self.offers(kind), order=order, attach=self._attach)

    def outlooks(self) -> Sequence[Outlook]:
        """What a launch of the desktop would take, in each of the two ways."""
        return [self._outlook(attach=attach) for attach in (False, True)]

    def _outlook(self, *, attach: bool) -> Outlook:
        desktop = App(library_id=DESKTOP_ID, title="Desktop", desktop_like=True)
        chosen = attach is self._attach
        try:
            cast = cast_drivers(desktop, self.offers, self.preferences, attach=attach)
        except Refused as error:
            return Outlook(attach=attach, chosen=chosen, problem=str(error))
        picked = (choice.picked for choice in cast.choices)
        return Outlook(attach=attach, chosen=chosen, takes=tuple(it for it in picked if it))

    def best_encoder(self) -> Offer | None:
        return self.choice(Kind.ENCODE).picked

    def features(self, kind: Kind, ref: DriverRef | None) -> frozenset[str]:
        """What a session's driver can; nothing where it has none."""
        offers = (it for it in self.offers(kind) if ref is not None and it.driver == ref.name)
        return next((offer.features for offer in offers), frozenset())

    def settings_of(self, kind: Kind, driver: str) -> Mapping[str, object]:
        """The settings of the plugin that offers a driver, defaults filled in."""
        plugin = self.report.plugin_of(kind, driver)
        if plugin is None or plugin not in self.plugins.manifests:
            return {}
        table = self._plugin_tables.get(plugin, {})
        return plugin_settings(self.plugins.manifests[plugin], table, name=plugin)
