"""Gets plugin modules and drivers into this process; a failure costs only the one that failed."""

from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint
from typing import Any

import attrs
import pluggy
from stevedore import DriverManager, NamedExtensionManager
from stevedore.exception import NoMatches

from punktfunk.drivers.base import Driver
from punktfunk.errors import DriverUnavailable
from punktfunk.hookspecs.markers import PROJECT
from punktfunk.model.offers import Kind
from punktfunk.model.plugins import SUPPORTED_APIS, Manifest
from punktfunk.registry.discovery import (
    PLUGIN_GROUP,
    PluginFilter,
    PluginRecord,
    PluginState,
    distribution_of,
    driver_group,
    installed,
    shadowed_records,
    version_of,
)
from punktfunk.registry.validation import (
    DRIVER_BASES,
    SPEC_MODULES,
    hook_problem,
    manifest_problem,
)


@attrs.frozen(kw_only=True)
class Plugins:
    """The plugins of this process.

    Attributes:
        manager: Holds the loaded ones, under their entry-point names.
        records: All that are installed, by name; names that were taken are not among them.
        manifests: Those of the loaded ones.
        shadowed: Plugins whose name another distribution already had.
    """

    manager: pluggy.PluginManager
    records: Mapping[str, PluginRecord]
    manifests: Mapping[str, Manifest]
    shadowed: tuple[PluginRecord, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The loaded ones, in the order of their names."""
        return tuple(sorted(self.manifests))

    def is_same_as(self, other: "Plugins") -> bool:
        """Say whether the same plugins are installed, and loaded."""
        return (self.records, self.shadowed) == (other.records, other.shadowed)


def load_plugins(wanted: PluginFilter, quarantine: Mapping[str, str] | None = None) -> Plugins:
    """Import every installed plugin that may run and register its hooks.

    Args:
        wanted: What the configuration allows.
        quarantine: Plugins not to import although they are allowed, with the reason:
            those that brought the probe child down.
    """
    found = installed(PLUGIN_GROUP)
    plugins = _Loader(quarantine or {})
    for entry_point in found.chosen.values():
        plugins.load(entry_point, wanted)
    return plugins.result(shadowed_records(found.shadowed))


def load_driver(kind: Kind, name: str, settings: Mapping[str, object]) -> Driver:
    """Import one driver by name and construct it.

    Raises:
        DriverUnavailable: no such driver is installed, or it cannot be imported or
            constructed.
    """
    return construct_driver(load_driver_class(kind, name), name, settings)


def construct_driver(
    driver_class: type[Driver], name: str, settings: Mapping[str, object]
) -> Driver:
    """Construct a driver that was imported.

    Raises:
        DriverUnavailable: its constructor failed.
    """
    try:
        return driver_class(settings)
    except Exception as error:
        raise DriverUnavailable(name, f"cannot be constructed: {describe(error)}") from error


def load_driver_class(kind: Kind, name: str) -> type[Driver]:
    """Import one driver by name.

    Raises:
        DriverUnavailable: no such driver is installed, or it cannot be imported.
    """
    entry_points = list(installed(driver_group(kind)).chosen.values())
    names = tuple(entry_point.name for entry_point in entry_points)
    failures: list[BaseException] = []
    try:
        loaded = _FreshDriver(driver_group(kind), name, entry_points, failures).driver
    except NoMatches:
        if failures:
            reason = f"cannot be imported: {describe(failures[0])}"
            raise DriverUnavailable(name, reason, available=names) from failures[0]
        reason = f"no {kind} driver of that name is installed"
        raise DriverUnavailable(name, reason, available=names) from None
    if not (isinstance(loaded, type) and issubclass(loaded, DRIVER_BASES[kind])):
        reason = f"its entry point is not a subclass of {DRIVER_BASES[kind].__name__}"
        raise DriverUnavailable(name, reason, available=names)
    return loaded


def new_manager() -> pluggy.PluginManager:
    """Make a pluggy manager that knows every hook of ours and no plugin."""
    manager = pluggy.PluginManager(PROJECT)
    for module in SPEC_MODULES:
        manager.add_hookspecs(module)
    return manager


def describe(error: BaseException) -> str:
    """Put an exception into one line: its type, and what it says."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class _Loader:
    def __init__(self, quarantine: Mapping[str, str]) -> None:
        self._quarantine = quarantine
        self._manager = new_manager()
        self._records: dict[str, PluginRecord] = {}
        self._manifests: dict[str, Manifest] = {}

    def load(self, entry_point: EntryPoint, wanted: PluginFilter) -> None:
        record = PluginRecord(
            name=entry_point.name,
            distribution=distribution_of(entry_point),
            version=version_of(entry_point),
            state=PluginState.LOADED,
        )
        if refusal := wanted.refusal(entry_point.name):
            record = attrs.evolve(record, state=PluginState.DISABLED, reason=refusal)
        elif reason := self._quarantine.get(entry_point.name):
            record = attrs.evolve(record, state=PluginState.BROKEN, reason=reason)
        else:
            try:
                record = self._load_allowed(entry_point, record)
            except Exception as error:  # such as a module whose `__getattr__` raises
                reason = f"cannot be looked into: {describe(error)}"
                record = attrs.evolve(record, state=PluginState.BROKEN, reason=reason)
        self._records[record.name] = record

    def result(self, shadowed: tuple[PluginRecord, ...]) -> Plugins:
        return Plugins(
            manager=self._manager,
            records=self._records,
            manifests=self._manifests,
            shadowed=shadowed,
        )

    def _load_allowed(self, entry_point: EntryPoint, record: PluginRecord) -> PluginRecord:
        broken = attrs.evolve(record, state=PluginState.BROKEN)
        failures: list[BaseException] = []
        modules = [found.plugin for found in _FreshPlugin(entry_point, failures).extensions]
        if not modules:
            return attrs.evolve(broken, reason=f"cannot be imported: {describe(failures[0])}")
        module = modules[0]
        manifest = getattr(module, "manifest", None)
        if problem := manifest_problem(module):
            return attrs.evolve(broken, reason=problem)
        assert isinstance(manifest, Manifest)
        record = attrs.evolve(record, api=manifest.api, title=manifest.title)
        if manifest.api not in SUPPORTED_APIS:
            ours = ", ".join(map(str, sorted(SUPPORTED_APIS)))
            reason = f"written for plugin API {manifest.api}; this host has {ours}"
            return attrs.evolve(record, state=PluginState.INCOMPATIBLE, reason=reason)
        if problem := hook_problem(new_manager(), module):
            return attrs.evolve(record, state=PluginState.BROKEN, reason=problem)
        if self._manager.is_registered(module):
            reason = "its module is already registered under another name"
            return attrs.evolve(record, state=PluginState.BROKEN, reason=reason)
        self._manager.register(module, record.name)
        self._manifests[record.name] = manifest
        return record


class _FreshPlugin(NamedExtensionManager[Any]):
    """Imports one plugin module; what stops it goes to `failures`."""

    def __init__(self, entry_point: EntryPoint, failures: list[BaseException]) -> None:
        self._entry_point = entry_point
        super().__init__(
            PLUGIN_GROUP,
            [entry_point.name],
            on_load_failure_callback=lambda _manager, _entry_point, error: failures.append(error),
            on_missing_entrypoints_callback=None,
        )

    def list_entry_points(self) -> list[EntryPoint]:
        return [self._entry_point]

    def _load_one_plugin(self, *args: Any, **kwargs: Any) -> Any:
        return _turn_exits_into_errors(super()._load_one_plugin, *args, **kwargs)


class _FreshDriver(DriverManager[Any]):
    """Imports one driver; what stops it goes to `failures`."""

    def __init__(
        self,
        group: str,
        name: str,
        entry_points: Sequence[EntryPoint],
        failures: list[BaseException],
    ) -> None:
        self._entry_points = list(entry_points)
        super().__init__(
            group,
            name,
            on_load_failure_callback=lambda _manager, _entry_point, error: failures.append(error),
            # DriverManager does not pass a callback for missing names on; it raises NoMatches.
            warn_on_missing_entrypoint=None,
        )

    def list_entry_points(self) -> list[EntryPoint]:
        return self._entry_points

    def _load_one_plugin(self, *args: Any, **kwargs: Any) -> Any:
        return _turn_exits_into_errors(super()._load_one_plugin, *args, **kwargs)


def _turn_exits_into_errors(load: Any, *args: Any, **kwargs: Any) -> Any:
    # stevedore lets AssertionError and SystemExit through: either would stop the host.
    try:
        return load(*args, **kwargs)
    except (AssertionError, SystemExit) as error:
        raise ImportError(describe(error)) from error
