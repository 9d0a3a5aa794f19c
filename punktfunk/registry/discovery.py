"""Which plugins and drivers are installed, without importing any of them."""

from collections.abc import Iterable
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points

import attrs

from punktfunk.model.offers import Kind

PLUGIN_GROUP = "punktfunk.plugins"
CORE_DISTRIBUTION = "punktfunk"


class PluginState(StrEnum):
    """What became of a plugin. Only a loaded one is ever called."""

    LOADED = "loaded"
    DISABLED = "disabled"
    BROKEN = "broken"
    INCOMPATIBLE = "incompatible"
    RESTING = "resting"


@attrs.frozen(kw_only=True)
class PluginRecord:
    """One installed plugin, working or not.

    Attributes:
        api: The plugin API it was written for; None when its manifest was never seen.
        reason: For a person; empty when it is loaded.
    """

    name: str
    distribution: str
    version: str
    api: int | None = None
    state: PluginState
    reason: str = ""
    title: str = ""


@attrs.frozen(kw_only=True)
class PluginFilter:
    """Which plugins may run. The code of the others is never imported.

    Attributes:
        allow: Only these, when not None.
        deny: Never these, even when allowed.
    """

    allow: frozenset[str] | None = None
    deny: frozenset[str] = frozenset()

    def refusal(self, name: str) -> str:
        """Say why this plugin may not run; empty when it may."""
        if name in self.deny:
            return "disabled in the configuration"
        if self.allow is not None and name not in self.allow:
            return "not among the plugins that the configuration allows"
        return ""


@attrs.frozen(kw_only=True)
class Installed:
    """The entry points of one group, each name once.

    Attributes:
        chosen: By name. The core's own entry points win over others of the same name, so
            that no package can take their place; then the distribution's name decides.
        shadowed: What lost its name to another distribution.
    """

    chosen: dict[str, EntryPoint]
    shadowed: tuple[EntryPoint, ...] = ()


def driver_group(kind: Kind) -> str:
    """Name the entry-point group that holds this kind of driver."""
    return f"punktfunk.{kind}"


def installed(group: str) -> Installed:
    """Read the entry points of a group afresh.

    stevedore's own listing goes through a cache on disk, which misses a plugin installed
    within the last minutes and forgets which distribution an entry point came from.
    """
    chosen: dict[str, EntryPoint] = {}
    shadowed = []
    for entry_point in sorted(entry_points(group=group), key=_precedence):
        holder = chosen.setdefault(entry_point.name, entry_point)
        if distribution_of(holder) != distribution_of(entry_point):
            shadowed.append(entry_point)
    return Installed(chosen=dict(sorted(chosen.items())), shadowed=tuple(shadowed))


def distribution_of(entry_point: EntryPoint) -> str:
    """Name the distribution that registered an entry point, as packages are compared."""
    dist = entry_point.dist
    return dist.name.lower().replace("_", "-") if dist is not None else ""


def version_of(entry_point: EntryPoint) -> str:
    return entry_point.dist.version if entry_point.dist is not None else ""


def driver_owners() -> dict[tuple[Kind, str], str]:
    """Say which distribution each installed driver comes from, by kind and name."""
    return {
        (kind, name): distribution_of(entry_point)
        for kind in Kind
        for name, entry_point in installed(driver_group(kind)).chosen.items()
    }


def shadowed_records(shadowed: Iterable[EntryPoint]) -> tuple[PluginRecord, ...]:
    """Record the plugins whose name another distribution already has."""
    return tuple(
        PluginRecord(
            name=entry_point.name,
            distribution=distribution_of(entry_point),
            version=version_of(entry_point),
            state=PluginState.BROKEN,
            reason="another distribution has a plugin of the same name",
        )
        for entry_point in shadowed
    )


def _precedence(entry_point: EntryPoint) -> tuple[bool, str, str]:
    distribution = distribution_of(entry_point)
    return distribution != CORE_DISTRIBUTION, distribution, entry_point.name
