"""The host starts whatever plugins do, and says which one did it."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from punktfunk.model.offers import HostFacts, Kind
from punktfunk.registry.asking import ProbeLimits
from punktfunk.registry.discovery import PluginFilter, PluginState
from punktfunk.registry.loading import load_plugins
from punktfunk.registry.prober import probe
from punktfunk.registry.report import PluginReport, ProbeReport

Install = Callable[..., None]
FACTS = HostFacts(kernel="6.1")
PATIENT = ProbeLimits(plugin_s=15, total_s=40)
BROKEN, INCOMPATIBLE, LOADED = PluginState.BROKEN, PluginState.INCOMPATIBLE, PluginState.LOADED

BROKEN_WHEN_LOADED = [
    ("import_error", BROKEN, "cannot be imported: ModuleNotFoundError: .*no_such_module"),
    ("exits_on_import", BROKEN, "cannot be imported: .*SystemExit: usage"),
    ("asserts_on_import", BROKEN, "cannot be imported: .*AssertionError: this is not my machine"),
    ("wrong_api", INCOMPATIBLE, "written for plugin API 99; this host has 1"),
    ("no_manifest", BROKEN, "it has no `manifest`"),
    ("bad_manifest", BROKEN, "the default of its setting 'preset' must be a whole number"),
    ("misspelt_hook", BROKEN, r"no such hook: encode_offer \(did you mean encode_offers\?\)"),
    ("wrong_arguments", BROKEN, "encode_offers.*moon_phase"),
]
DOWN_WHEN_ASKED = [
    ("crashing_probe", "crashed with SIGSEGV while probing"),
    ("crashes_on_import", "crashed with SIGSEGV while probing"),
    ("exiting_probe", "ended the probe with exit status 3"),
]
HANGING = ["hanging_probe", "hangs_on_import"]


def only(*names: str) -> PluginFilter:
    return PluginFilter(allow=frozenset(names))


def of(report: ProbeReport, name: str) -> PluginReport:
    return next(plugin for plugin in report.plugins if plugin.record.name == name)


def assert_healthy(report: ProbeReport) -> None:
    healthy = of(report, "healthy")
    assert (healthy.record.state, healthy.problems) == (LOADED, ())
    assert [(offer.driver, offer.availability.available) for offer in healthy.offers] == [
        ("healthy", True)
    ]


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"  # it is dead; whoever adopted it has not noticed yet


@pytest.mark.parametrize(("name", "state", "reason"), BROKEN_WHEN_LOADED)
def test_a_plugin_that_cannot_be_loaded_is_named_and_the_rest_is_loaded(
    install_broken: Install, name: str, state: PluginState, reason: str
) -> None:
    install_broken(name, "healthy")

    plugins = load_plugins(only(name, "healthy"))

    record = plugins.records[name]
    assert (record.state, record.distribution) == (
        state,
        f"punktfunk-broken-{name}".replace("_", "-"),
    )
    assert re.search(reason, record.reason)
    assert plugins.names == ("healthy",)


async def test_plugins_that_cannot_be_loaded_do_not_disturb_the_probe(
    install_broken: Install,
) -> None:
    names = [name for name, _, _ in BROKEN_WHEN_LOADED]
    install_broken("healthy", *names)

    report = await probe(FACTS, only("healthy", *names), limits=PATIENT)

    assert_healthy(report)
    for name, state, reason in BROKEN_WHEN_LOADED:
        assert of(report, name).record.state is state
        assert re.search(reason, of(report, name).record.reason)
        assert [offer.availability.reason for offer in of(report, name).offers] == [
            of(report, name).record.reason
        ] * 2


@pytest.mark.parametrize(("name", "reason"), DOWN_WHEN_ASKED)
async def test_a_plugin_that_takes_the_probe_down_is_named_and_the_rest_is_asked(
    install_broken: Install, name: str, reason: str
) -> None:
    install_broken(name, "healthy")

    report = await probe(FACTS, only(name, "healthy"), limits=PATIENT)

    assert_healthy(report)
    assert of(report, name).record.state is BROKEN
    assert of(report, name).record.reason == reason
    assert {
        (offer.kind, offer.driver, offer.availability.available, offer.availability.reason)
        for offer in of(report, name).offers
    } == {(kind, name, False, reason) for kind in (Kind.ENCODE, Kind.CAPTURE)}


@pytest.mark.parametrize("name", HANGING)
async def test_a_plugin_that_hangs_is_given_up_on_and_the_rest_is_asked(
    install_broken: Install, name: str
) -> None:
    install_broken(name, "healthy")

    report = await probe(FACTS, only(name, "healthy"), limits=ProbeLimits(plugin_s=2, total_s=40))

    assert_healthy(report)
    assert of(report, name).record.reason == "did not answer within 2 s"


async def test_when_the_time_of_all_is_over_the_rest_says_so(install_broken: Install) -> None:
    install_broken("hanging_probe", "healthy", "printing_probe")

    report = await probe(
        FACTS,
        only("hanging_probe", "healthy", "printing_probe"),
        limits=ProbeLimits(plugin_s=30, total_s=3),
    )

    reason = "was not asked to the end: the probe's 3 s were over"
    names = ("hanging_probe", "healthy", "printing_probe")
    assert [of(report, name).record.reason for name in names] == [reason] * 3


async def test_only_what_fails_on_import_is_kept_from_the_host(install_broken: Install) -> None:
    install_broken("crashes_on_import", "crashing_probe", "healthy")
    wanted = only("crashes_on_import", "crashing_probe", "healthy")

    report = await probe(FACTS, wanted, limits=PATIENT)
    plugins = load_plugins(wanted, report.quarantine())  # imported here, it would end the tests

    assert report.quarantine() == {"crashes_on_import": "crashed with SIGSEGV while probing"}
    assert plugins.records["crashes_on_import"].state is BROKEN
    assert plugins.names == ("crashing_probe", "healthy")


async def test_a_hook_that_raises_costs_only_its_own_kind(install_broken: Install) -> None:
    install_broken("raising_hook", "healthy")

    report = await probe(FACTS, only("raising_hook", "healthy"), limits=PATIENT)

    assert_healthy(report)
    reason = "encode_offers failed: RuntimeError: the card fell out"
    assert of(report, "raising_hook").record.state is LOADED
    assert of(report, "raising_hook").problems == (reason,)
    found = {offer.kind: offer.availability for offer in of(report, "raising_hook").offers}
    assert found[Kind.CAPTURE].available
    assert (found[Kind.ENCODE].available, found[Kind.ENCODE].reason) == (False, reason)


async def test_offers_that_make_no_sense_are_left_out_and_named(install_broken: Install) -> None:
    install_broken("nonsense_offers", "healthy")

    report = await probe(FACTS, only("nonsense_offers", "healthy"), limits=PATIENT)

    assert_healthy(report)
    found = of(report, "nonsense_offers")
    assert [offer.availability.available for offer in found.offers] == [False]
    problems = "\n".join(found.problems)
    assert "capture_offers failed: TypeError: capture_offers returned a dict" in problems
    assert "audio_offers failed: ValueError: audio_offers offers 'nonsense_offers' as" in problems
    assert "input_offers failed: ValueError:" in problems
    assert "codecs" in problems
    assert "It offers no_such_driver, but no such encode driver exists." in problems
    assert "It offers healthy, but that driver belongs to punktfunk-broken-healthy." in problems
    assert "plugin_status failed: ValueError: a str is not of type Availability" in problems


async def test_what_plugins_print_is_not_taken_for_an_answer(install_broken: Install) -> None:
    install_broken("printing_probe", "healthy")

    report = await probe(FACTS, only("printing_probe", "healthy"), limits=PATIENT)

    assert_healthy(report)
    assert of(report, "printing_probe").problems == ()
    assert of(report, "printing_probe").offers[0].availability.available


@pytest.mark.parametrize("crash", [False, True], ids=["answers", "crashes"])
async def test_what_a_plugin_forked_dies_with_the_probe(
    install_broken: Install, tmp_path: Path, crash: bool
) -> None:
    install_broken("forking_probe", "healthy")
    pid_file = tmp_path / "pid"
    settings = {"forking_probe": {"pid_file": str(pid_file), "crash": crash}}

    report = await probe(
        HostFacts(kernel="6.1", settings=settings),
        only("forking_probe", "healthy"),
        limits=PATIENT,
    )

    assert_healthy(report)
    assert of(report, "forking_probe").record.state is (BROKEN if crash else LOADED)
    pid = int(pid_file.read_text())
    assert is_gone(pid)


async def test_the_probe_leaves_no_zombie_of_ours(install_broken: Install) -> None:
    install_broken("crashing_probe", "healthy")

    await probe(FACTS, only("crashing_probe", "healthy"), limits=PATIENT)

    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    assert [child for child in children if is_gone(int(child))] == []


async def test_settings_that_are_wrong_are_the_reason(install_broken: Install) -> None:
    install_broken("forking_probe", "healthy")
    facts = HostFacts(kernel="6.1", settings={"forking_probe": {"pid_fiel": ""}})

    report = await probe(facts, only("forking_probe", "healthy"), limits=PATIENT)

    assert_healthy(report)
    assert of(report, "forking_probe").record.reason == (
        "[plugin.forking_probe] pid_fiel: no such setting (known: crash, pid_file)"
    )


async def test_a_disabled_plugin_is_never_imported(install_broken: Install) -> None:
    install_broken("crashes_on_import", "healthy")
    wanted = PluginFilter(
        allow=frozenset({"crashes_on_import", "healthy"}), deny=frozenset({"crashes_on_import"})
    )

    plugins = load_plugins(wanted)
    report = await probe(FACTS, wanted, limits=PATIENT)

    assert plugins.records["crashes_on_import"].state is PluginState.DISABLED
    assert of(report, "crashes_on_import").record.state is PluginState.DISABLED
    assert of(report, "crashes_on_import").offers == ()
    assert_healthy(report)
