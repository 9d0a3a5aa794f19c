"""Asks all plugins what they could do here, from a child process that may be killed."""

import asyncio
import logging
from collections.abc import Iterable
from importlib.metadata import EntryPoint

import attrs

from punktfunk.model.offers import Availability, HostFacts, Kind, Offer
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
from punktfunk.registry.probe_child import ChildEnded, ProbeChild
from punktfunk.registry.report import (
    PluginReport,
    ProbeAnswer,
    ProbeBegins,
    ProbeReport,
    ProbeRequest,
)

MAX_OFFERS = 64

log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class ProbeLimits:
    """How long a probe may take, for one plugin and for all together."""

    plugin_s: float = 3.0
    total_s: float = 10.0


@attrs.frozen(kw_only=True)
class _Failure:
    """A plugin that the child did not come back from."""

    plugin: str
    reason: str
    harmful: bool = False


async def probe(
    facts: HostFacts,
    wanted: PluginFilter | None = None,
    *,
    limits: ProbeLimits | None = None,
) -> ProbeReport:
    """Ask every installed plugin that may run.

    A plugin that crashes or hangs takes the child down with it; the rest are then asked in
    another child. Nothing that a plugin started in the child's process group outlives this.

    Args:
        facts: What plugins are told about the machine, their settings included.
        wanted: What the configuration allows.
        limits: 3 s a plugin and 10 s in all, unless told otherwise.
    """
    wanted, limits = wanted or PluginFilter(), limits or ProbeLimits()
    found = installed(PLUGIN_GROUP)
    deadline_s = asyncio.get_running_loop().time() + limits.total_s
    reports = {
        name: PluginReport(record=_record(entry_point, PluginState.DISABLED, refusal))
        for name, entry_point in found.chosen.items()
        if (refusal := wanted.refusal(name))
    }
    while waiting := [name for name in found.chosen if name not in reports]:
        request = ProbeRequest(facts=facts, ask=tuple(waiting))
        answers, failures = await _run_child(request, limits, deadline_s)
        for answer in answers:
            reports[answer.record.name] = _report(answer)
        for failure in failures:
            reports[failure.plugin] = _failed(found.chosen[failure.plugin], failure)
    shadowed = (PluginReport(record=record) for record in shadowed_records(found.shadowed))
    complete = _with_missing_drivers([reports[name] for name in found.chosen])
    return ProbeReport(plugins=(*complete, *shadowed))


async def _run_child(
    request: ProbeRequest, limits: ProbeLimits, deadline_s: float
) -> tuple[list[ProbeAnswer], list[_Failure]]:
    """Run one child until it is done or down.

    Returns:
        The answers, and at least one failure unless all have answered.
    """
    loop = asyncio.get_running_loop()
    answers: list[ProbeAnswer] = []
    asked: ProbeBegins | None = None
    asked_until_s = deadline_s
    async with ProbeChild(request) as child:
        try:
            while True:
                until_s = min(asked_until_s, deadline_s)
                message = await child.next_message(max(0.0, until_s - loop.time()))
                if isinstance(message, ProbeAnswer):
                    answers.append(_expected(message, asked))
                    asked, asked_until_s = None, deadline_s
                else:
                    if asked is None:
                        asked_until_s = loop.time() + limits.plugin_s
                    asked = message
        except TimeoutError:
            if asked_until_s < deadline_s:
                reason = f"did not answer within {limits.plugin_s:g} s"
            else:
                reason = f"was not asked to the end: the probe's {limits.total_s:g} s were over"
        except ChildEnded as end:
            reason = str(end)
        except ValueError as error:
            reason = f"gave an answer that makes no sense: {error}"
    answered = {answer.record.name for answer in answers}
    missing = [name for name in request.ask if name not in answered]
    if not missing:
        return answers, []
    if asked is not None and loop.time() < deadline_s:
        missing = [asked.begins]
    elif not answers and asked is None:
        reason = f"could not be asked, the probe itself {reason}: {child.last_words}"
    for name in missing:
        log.warning(
            "plugin %s %s", name, reason, extra={"plugin": name, "printed": child.last_words}
        )
    return answers, [
        _Failure(
            plugin=name,
            reason=reason,
            harmful=asked is not None and asked.begins == name and asked.step == "import",
        )
        for name in missing
    ]


def _expected(answer: ProbeAnswer, asked: ProbeBegins | None) -> ProbeAnswer:
    if asked is None or answer.record.name != asked.begins:
        raise ValueError("it answers for another plugin")
    if len(answer.offers) > MAX_OFFERS:
        raise ValueError(f"it makes more than {MAX_OFFERS} offers")
    return answer


def _report(answer: ProbeAnswer) -> PluginReport:
    """Keep the offers whose driver the plugin's own distribution has installed."""
    owners = driver_owners()
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


def _failed(entry_point: EntryPoint, failure: _Failure) -> PluginReport:
    return PluginReport(
        record=_record(entry_point, PluginState.BROKEN, failure.reason), harmful=failure.harmful
    )


def _with_missing_drivers(reports: Iterable[PluginReport]) -> list[PluginReport]:
    """Show the drivers of plugins that failed as unavailable, so that people see the reason."""
    reports = list(reports)
    owners = driver_owners()
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
