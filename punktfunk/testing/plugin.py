"""What a plugin module promises: light to import, honest answers, drivers that exist."""

import asyncio
import functools
import subprocess
import sys
from importlib.metadata import EntryPoint
from typing import ClassVar

import pytest

from punktfunk.model.plugins import SUPPORTED_APIS, Manifest
from punktfunk.registry.asking import ProbeLimits
from punktfunk.registry.discovery import PLUGIN_GROUP, PluginFilter, PluginState, installed
from punktfunk.registry.facts import gather_facts
from punktfunk.registry.loading import load_driver_class, new_manager
from punktfunk.registry.prober import probe
from punktfunk.registry.report import PluginReport
from punktfunk.registry.validation import hook_problem, manifest_problem
from punktfunk.testing.contract import Contract, has_words

HEAVY_MODULES = frozenset(
    {
        "av",
        "cv2",
        "gi",
        "hypercorn",
        "numba",
        "PIL",
        "pulsectl",
        "pywayland",
        "quart",
        "torch",
        "xcffib",
    }
)

_LIST_MODULES = """
import sys
import punktfunk.plugin
before = set(sys.modules)
__import__(sys.argv[1])
print(*sorted(set(sys.modules) - before))
"""


class PluginContract(Contract):
    """Promises of an installed plugin. Install it first, `pip install -e .` will do.

    Attributes:
        name: The name of its entry point in the group `punktfunk.plugins`.
    """

    name: ClassVar[str]

    @pytest.fixture
    def entry_point(self) -> EntryPoint:
        found = installed(PLUGIN_GROUP).chosen
        assert self.name in found, f"no plugin {self.name} is installed, only {sorted(found)}"
        return found[self.name]

    @pytest.fixture
    def manifest(self, entry_point: EntryPoint) -> Manifest:
        module = entry_point.load()
        assert not manifest_problem(module)
        found = module.manifest
        assert isinstance(found, Manifest)
        return found

    @pytest.fixture
    def report(self, entry_point: EntryPoint) -> PluginReport:
        """What it answers in a probe child on this machine."""
        return _probe_once(entry_point.name)

    def test_its_manifest_is_complete(self, entry_point: EntryPoint) -> None:
        assert manifest_problem(entry_point.load()) == ""

    def test_it_is_written_for_a_plugin_api_we_have(self, manifest: Manifest) -> None:
        assert manifest.api in SUPPORTED_APIS

    def test_its_settings_are_explained(self, manifest: Manifest) -> None:
        assert [setting.name for setting in manifest.settings if not has_words(setting.doc)] == []

    def test_its_hooks_exist_and_take_what_they_are_given(self, entry_point: EntryPoint) -> None:
        assert hook_problem(new_manager(), entry_point.load()) == ""

    def test_it_is_light_to_import(self, entry_point: EntryPoint) -> None:
        # In a process of its own: here, the tests themselves have imported everything.
        ran = subprocess.run(
            [sys.executable, "-c", _LIST_MODULES, entry_point.module],
            capture_output=True,
            text=True,
            check=True,
        )

        packages = {module.partition(".")[0] for module in ran.stdout.split()}
        assert sorted(packages & HEAVY_MODULES) == []

    def test_the_host_loads_it(self, report: PluginReport) -> None:
        assert (report.record.state, report.record.reason) == (PluginState.LOADED, "")

    def test_its_answers_have_no_problems(self, report: PluginReport) -> None:
        assert report.problems == ()

    def test_every_offer_names_an_installed_driver(self, report: PluginReport) -> None:
        for offer in report.offers:
            if offer.availability.available:
                load_driver_class(offer.kind, offer.driver)
        offered = [(offer.kind, offer.driver, offer.attaches) for offer in report.offers]
        assert len(offered) == len(set(offered))

    def test_what_cannot_run_says_why(self, report: PluginReport) -> None:
        answers = [(offer.driver, offer.availability) for offer in report.offers]
        if report.status is not None:
            answers.append(("plugin_status", report.status))

        silent = [
            name
            for name, answer in answers
            if not answer.available and not has_words(answer.reason)
        ]
        assert silent == []

    def test_offers_have_titles(self, report: PluginReport) -> None:
        assert [offer.driver for offer in report.offers if not offer.title.strip()] == []

    def test_it_answers_the_same_when_asked_again(self, report: PluginReport) -> None:
        again = asyncio.run(_probe(report.record.name))

        assert again.offers == report.offers
        assert (again.status is None) == (report.status is None)


@functools.lru_cache
def _probe_once(name: str) -> PluginReport:
    return asyncio.run(_probe(name))


async def _probe(name: str) -> PluginReport:
    # Tests run beside others: how long an answer takes says nothing here.
    limits = ProbeLimits(plugin_s=30, total_s=40)
    report = await probe(gather_facts(), PluginFilter(allow=frozenset({name})), limits=limits)
    return next(plugin for plugin in report.plugins if plugin.record.name == name)
