"""The store contract, tried on an honest store and on stores that break a promise each."""

from collections.abc import Callable

import pytest

from punktfunk.testing import StoreContract  # noqa: F401 - pytester forgets what it imports anew

pytest_plugins = ["pytester"]

STORE = """
import json
from pathlib import Path

from punktfunk.plugin import Artwork, GameEntry, LaunchSpec, LaunchTarget, Manifest, hookimpl

manifest = Manifest(api=1, title="A store for tests")


def catalog(host):
    return Path(host.environment.get("HOME", "/nonexistent"), "games.json")


@hookimpl
def library_games(host):
    {trouble}
    try:
        found = json.loads(catalog(host).read_text()) if catalog(host).is_file() else []
        keys = [str(key) for key in found] if isinstance(found, list) else []
    except (OSError, ValueError):
        keys = []
    return [game(key) for key in sorted(set(keys))]


def game(key):
    return GameEntry(
        id={id}, title={title}, art=Artwork(portrait={art}),
        target=LaunchTarget(kind="contracttest", value=key), launch=LaunchSpec(argv={argv}),
    )


@hookimpl
def library_paths(host):
    return [{path}]
"""
HONEST = {
    "trouble": "pass",
    "id": '"contracttest:" + key',
    "title": '"Game " + key',
    "art": '"https://example.org/a.png"',
    "argv": '("game", key)',
    "path": "catalog(host)",
}
CASE = """
import json
import pytest
from punktfunk.plugin import HostFacts
from punktfunk.testing import StoreContract

class TestStore(StoreContract):
    name = "contracttest"
    patience_s = 1.0

    @pytest.fixture
    def host(self, tmp_path):
        home = tmp_path / "home"
        home.mkdir()
        (home / "games.json").write_text(json.dumps(["1", "2"]))
        return HostFacts(environment={"HOME": str(home)})
"""
BREACHES = {
    "id": ('"other:" + key', "test_ids_begin_with_the_stores_name"),
    "title": ('"Two\\nlines"', "test_titles_are_fit_to_be_shown"),
    "art": ('"http://example.org/a.png"', "test_art_is_a_https_address_or_a_file"),
    "argv": ('("sh", "-c", "game " + key)', "test_launches_need_no_shell"),
    "path": ('Path("games.json")', "test_watched_paths_are_absolute_and_few"),
}
TROUBLES = {
    "catalog(host).with_name('x').touch()": "test_nothing_is_written_started",
    "import subprocess; subprocess.run(['true'])": "test_nothing_is_written_started",
    "import socket; socket.getaddrinfo('127.0.0.1', 9)": "test_nothing_is_written_started",
    "json.loads(catalog(host).read_text())": "test_a_damaged_file_is_no_error",
    "catalog(host).exists() and catalog(host).open('rb').close()": "test_a_pipe_in_place_of",
}


@pytest.fixture
def verdict(pytester: pytest.Pytester, monkeypatch) -> Callable[..., list[str]]:
    """Runs the contract on a store; gives the names of the tests that failed."""
    monkeypatch.setenv("PYTHONPATH", str(pytester.path))

    def run(**changes: str) -> list[str]:
        module = STORE
        for name, value in {**HONEST, **changes}.items():
            module = module.replace("{" + name + "}", value)
        pytester.makepyfile(contracttest_store=module)
        folder = pytester.mkdir("contracttest-1.dist-info")
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: contracttest\nVersion: 1\n")
        (folder / "entry_points.txt").write_text(
            "[punktfunk.plugins]\ncontracttest = contracttest_store\n"
        )
        pytester.syspathinsert()
        pytester.makepyfile(CASE)
        result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:asyncio")
        assert result.parseoutcomes().get("passed", 0) > 5
        return [
            report.nodeid.rpartition("::")[2]
            for report in result.reprec.getreports("pytest_runtest_logreport")
            if report.failed
        ]

    return run


def test_an_honest_store_keeps_the_contract(verdict) -> None:
    assert verdict() == []


@pytest.mark.parametrize("part", BREACHES)
def test_a_broken_promise_is_found(verdict, part: str) -> None:
    value, finder = BREACHES[part]

    assert finder in [name.partition("[")[0] for name in verdict(**{part: value})]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_a_store_must_not_do_is_found(verdict, trouble: str) -> None:
    assert any(name.startswith(TROUBLES[trouble]) for name in verdict(trouble=trouble))
