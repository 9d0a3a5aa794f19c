"""Asks all plugins what they could do here, from a child process that may be killed."""

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint

import attrs

from punktfunk.model.offers import Availability, HostFacts, Kind, Offer
from punktfunk.registry.asking import Failure, ProbeLimits, ask_plugins
from punktfunk.registry.discovery import (
    PLUGIN_GROUP,
    PluginFilter,
    PluginRecord,
    PluginState,
    distribution_of,
    driver_owners,
    installed,
    shadowed_records,
    version_of,
)
from punktfunk.registry.probe_child import ChildKind
from punktfunk.registry.report import PluginReport, ProbeAnswer, ProbeReport

MAX_OFFERS = 64

_Owners = Mapping[tuple[Kind, str], str]
"""As `driver_owners` says."""

_PROBE = ChildKind(
    module="punktfunk.registry.probe", answer=ProbeAnswer, noun="probe", doing="probing"
)


async def probe(
    facts: HostFacts,
    wanted: PluginFilter | None = None,
    *,
    limits: ProbeLimits | None = None,
) -> ProbeReport:
    """Ask every installed plugin that may run.

    Args:
        facts: What plugins are told about the machine, their settings included.
        wanted: What the configuration allows.
        limits: 3 s a plugin and 10 s in all, unless told otherwise.
    """
    wanted, limits = wanted or PluginFilter(), limits or ProbeLimits()
    found = installed(PLUGIN_GROUP)
    reports = {
        name: PluginReport(record=_record(entry_point, PluginState.DISABLED, refusal))
        for name, entry_point in found.chosen.items()
        if (refusal := wanted.refusal(name))
    }
    waiting = [name for name in found.chosen if name not in reports]
    answers = await ask_plugins(_PROBE, waiting, facts, limits, _check)
    owners = driver_owners()
    for name, result in answers.items():
        if isinstance(result, Failure):
            reports[name] = _failed(found.chosen[name], result)
        else:
            reports[name] = _report(result, owners)
    shadowed = (PluginReport(record=record) for record in shadowed_records(found.shadowed))
    complete = _with_missing_drivers([reports[name] for name in found.chosen], owners)
    return ProbeReport(plugins=(*complete, *shadowed))


def _check(answer: ProbeAnswer) -> None:
    if len(answer.offers) > MAX_OFFERS:
        raise ValueError(f"it makes more than {MAX_OFFERS} offers")


def _report(answer: ProbeAnswer, owners: _Owners) -> PluginReport:
    """Keep the offers whose driver the plugin's own distribution has installed."""
    offers: list[Offer] = []
    problems = list(answer.problems)
    for offer in answer.offers:
        owner = owners.get((offer.kind, offer.driver))
        if owner is None:
            problems.append(f"It offers {offer.driver}, but no such {offer.kind} driver exists.")
        elif owner != answer.record.distribution:
            problems.append(f"It offers {offer.driver}, but that driver belongs to {owner}.")
        else:
            offers.append(offer)
    offers += [
        _unavailable(kind, driver, answer.failures[kind])
        for (kind, driver), owner in owners.items()
        if kind in answer.failures and owner == answer.record.distribution
    ]
    return PluginReport(
        record=answer.record, status=answer.status, offers=tuple(offers), problems=tuple(problems)
    )


def _failed(entry_point: EntryPoint, failure: Failure) -> PluginReport:
    return PluginReport(
        record=_record(entry_point, PluginState.BROKEN, failure.reason), harmful=failure.harmful
    )


def _with_missing_drivers(reports: Iterable[PluginReport], owners: _Owners) -> list[PluginReport]:
    """Show the drivers of plugins that failed as unavailable, so that people see the reason."""
    reports = list(reports)
    offered = {(offer.kind, offer.driver) for report in reports for offer in report.offers}
    complete = []
    for report in reports:
        record = report.record
        if record.state in (PluginState.BROKEN, PluginState.INCOMPATIBLE):
            missing = [
                _unavailable(kind, driver, record.reason)
                for (kind, driver), owner in owners.items()
                if owner == record.distribution and (kind, driver) not in offered
            ]
            complete.append(attrs.evolve(report, offers=(*report.offers, *missing)))
        else:
            complete.append(report)
    return complete


def _unavailable(kind: Kind, driver: str, reason: str) -> Offer:
    return Offer(kind=kind, driver=driver, title=driver, availability=Availability.no(reason))


def _record(entry_point: EntryPoint, state: PluginState, reason: str) -> PluginRecord:
    return PluginRecord(
        name=entry_point.name,
        distribution=distribution_of(entry_point),
        version=version_of(entry_point),
        state=state,
        reason=reason,
    )
