"""The library with real stores in real children, and real files that change."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest

from punktfunk.errors import Refused
from punktfunk.library import (
    CustomGames,
    CustomInput,
    HiddenGames,
    Library,
    LibraryChange,
    StoreState,
)
from punktfunk.model.games import LaunchTarget

pytestmark = pytest.mark.timeout(180)


@attrs.define
class Running:
    library: Library
    home: Path
    changes: list[LibraryChange] = attrs.field(factory=list)

    def ids(self) -> list[str]:
        return [game.id for game in self.library.games()]

    def state(self, store: str) -> StoreState:
        return next(it.state for it in self.library.stores() if it.name == store)

    def scans(self, store: str) -> int:
        log = self.home / "scans.log"
        return log.read_text().splitlines().count(store) if log.exists() else 0

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.02)


@pytest.fixture
def running(facts, home, tmp_path):
    @asynccontextmanager
    async def run(*stores: str, pause_s: float = 0.1) -> AsyncIterator[Running]:
        library = Library(
            facts,
            CustomGames(tmp_path / "config"),
            HiddenGames(tmp_path / "config"),
            pause_s=pause_s,
        )
        it = Running(library, home)
        library.on_changed = it.changes.append
        library.start(stores)
        try:
            await it.until(
                lambda: all(store.state is not StoreState.WAITING for store in library.stores())
            )
            yield it
        finally:
            await library.close()

    return run


async def test_all_stores_and_own_entries_are_one_list(install_store, write_games, running) -> None:
    for name in ("alpha", "beta"):
        install_store(name)
    write_games("alpha", one="Zebra", two="Apple")
    write_games("beta", one="Middle")

    async with running("alpha", "beta") as it:
        mine = it.library.create(CustomInput(title="Beginning"))

        titles = [game.title for game in it.library.games()]
        assert titles == ["Apple", "Beginning", "Middle", "Zebra"]
        assert [(store.name, store.count) for store in it.library.stores()] == [
            ("alpha", 2),
            ("beta", 1),
        ]
        assert it.library.find(f"custom:{mine.id}").title == "Beginning"
        assert it.changes[-1] == LibraryChange((f"custom:{mine.id}",), (), ())


async def test_a_new_game_appears_and_an_old_one_goes_by_themselves(
    install_store, write_games, running
) -> None:
    install_store("alpha")
    write_games("alpha", one="First")

    async with running("alpha") as it:
        write_games("alpha", one="First", two="Second")
        await it.until(lambda: it.ids() == ["alpha:one", "alpha:two"])
        write_games("alpha", two="Second, renamed")
        await it.until(lambda: it.ids() == ["alpha:two"])

        assert it.changes[-1] == LibraryChange((), ("alpha:one",), ("alpha:two",))


async def test_games_that_were_there_before_the_host_are_no_change(
    install_store, write_games, running
) -> None:
    install_store("alpha")
    write_games("alpha", one="First")

    async with running("alpha") as it:
        assert it.ids() == ["alpha:one"]
        assert it.changes == []

        write_games("alpha", one="First", two="Second")
        await it.until(lambda: it.changes)
        assert it.changes == [LibraryChange(("alpha:two",), (), ())]


async def test_a_store_that_lists_late_brings_no_change_but_others_do(
    install_store, write_games, running, home
) -> None:
    for name in ("alpha", "beta"):
        install_store(name)
    (home / "alpha").mkdir()
    (home / "alpha" / "games.json").write_text("{")

    async with running("alpha", "beta") as it:
        assert it.state("alpha") is StoreState.FAILED
        write_games("alpha", one="Old")
        write_games("beta", one="New")
        await it.until(lambda: it.ids() == ["beta:one", "alpha:one"])

        assert it.changes == [LibraryChange(("beta:one",), (), ())]


async def test_what_a_store_leaves_out_is_logged_once(
    install_store, running, home, caplog: pytest.LogCaptureFixture
) -> None:
    warns = """
@hookimpl
def library_games(host):
    for name in Path(host.environment["HOME"], "damaged").read_text().split():
        logging.getLogger(__name__).warning("left out: %s", name)
    return []
"""
    install_store("alpha", warns)
    (home / "damaged").write_text("one.acf")

    async with running("alpha") as it:
        await it.library.refresh()
        (home / "damaged").write_text("one.acf two.acf")
        await it.library.refresh()

        (status,) = it.library.stores()
        assert status.problems == ("left out: one.acf", "left out: two.acf")
        assert [record.getMessage() for record in caplog.records] == [
            "the store alpha: left out: one.acf",
            "the store alpha: left out: two.acf",
        ]


async def test_only_the_store_whose_files_changed_is_asked_again(
    install_store, write_games, running
) -> None:
    for name in ("alpha", "beta"):
        install_store(name)
        write_games(name, one="First")

    async with running("alpha", "beta") as it:
        write_games("alpha", two="Second")
        await it.until(lambda: "alpha:two" in it.ids())

        assert it.scans("beta") == 1


async def test_a_folder_that_is_deleted_and_comes_back_is_still_watched(
    install_store, write_games, running, home
) -> None:
    install_store("alpha")
    write_games("alpha", one="First")

    async with running("alpha") as it:
        for title in ("Again", "And again"):
            shutil.rmtree(home / "alpha")
            await it.until(lambda: it.ids() == [])
            write_games("alpha", one=title)
            await it.until(lambda: it.ids() == ["alpha:one"])
        write_games("alpha", two="Second")
        await it.until(lambda: it.ids() == ["alpha:two"])


async def test_a_file_that_comes_late_is_noticed(install_store, write_games, running) -> None:
    install_store("alpha")

    async with running("alpha") as it:
        assert it.ids() == []
        write_games("alpha", one="First")
        await it.until(lambda: it.ids() == ["alpha:one"])


async def test_a_flood_of_changes_is_a_handful_of_scans(
    install_store, write_games, running, home
) -> None:
    install_store("alpha")
    write_games("alpha", one="First")

    async with running("alpha", pause_s=3) as it:
        for number in range(2_000):
            (home / "alpha" / f"{number}.tmp").touch()
            if number % 20 == 0:
                await asyncio.sleep(0.01)
        write_games("alpha", two="Second")
        await it.until(lambda: it.ids() == ["alpha:two"])

        assert it.scans("alpha") <= 5


async def test_a_store_that_breaks_keeps_its_last_list_and_says_why(
    install_store, write_games, running, home
) -> None:
    install_store("alpha")
    write_games("alpha", one="First")

    async with running("alpha") as it:
        (home / "alpha" / "games.json").write_text("{")
        await it.until(lambda: it.state("alpha") is StoreState.FAILED)

        (status,) = it.library.stores()
        assert it.ids() == ["alpha:one"]
        assert status.reason.startswith("library_games failed: JSONDecodeError")
        assert status.count == 1
        write_games("alpha", two="Second")
        await it.until(lambda: it.state("alpha") is StoreState.READY)
        assert it.ids() == ["alpha:two"]
        assert it.library.stores()[0].reason == ""


async def test_a_store_that_failed_is_asked_again_later_though_nothing_changed(
    install_store, running, home, monkeypatch
) -> None:
    for module in ("library", "stores"):
        monkeypatch.setattr(f"punktfunk.library.{module}.RETRY_S", 0.5)
    fails_once = """
@hookimpl
def library_games(host):
    flag = Path(host.environment["HOME"], "flag")
    if not flag.exists():
        flag.touch()
        os._exit(1)
    return [entry("alpha", 1)]
"""
    install_store("alpha", fails_once)

    async with running("alpha") as it:
        await it.until(lambda: it.ids() == ["alpha:1"])

        assert it.state("alpha") is StoreState.READY


async def test_paths_that_a_new_list_brings_are_watched(
    install_store, write_games, running, home
) -> None:
    follows = """
@hookimpl
def library_games(host):
    return [entry("alpha", n) for n, path in enumerate(library_paths(host)) if path.is_file()]

@hookimpl
def library_paths(host):
    here = Path(host.environment["HOME"])
    return [Path(line) for line in (here / "list").read_text().splitlines()]
"""
    install_store("alpha", follows)
    (home / "list").write_text(f"{home}/a/file\n")

    async with running("alpha") as it:
        (home / "b").mkdir()
        (home / "list").write_text(f"{home}/a/file\n{home}/b/file\n")
        await it.library.refresh()
        (home / "b" / "file").touch()
        await it.until(lambda: it.ids() == ["alpha:1"])


async def test_a_crashing_store_takes_no_other_down(install_store, write_games, running) -> None:
    install_store("alpha")
    install_store("beta", "\n@hookimpl\ndef library_games(host):\n    os.abort()\n")
    write_games("alpha", one="First")

    async with running("alpha", "beta") as it:
        assert it.ids() == ["alpha:one"]
        assert it.state("beta") is StoreState.FAILED
        assert "SIGABRT" in it.library.stores()[1].reason


async def test_those_who_ask_at_once_share_a_scan(install_store, write_games, running) -> None:
    install_store("alpha")

    async with running("alpha") as it:
        await asyncio.gather(*(it.library.refresh() for _ in range(50)))

        assert it.scans("alpha") <= 3


async def test_a_listener_that_fails_does_not_end_the_following(
    install_store, write_games, running
) -> None:
    install_store("alpha")

    async with running("alpha") as it:
        it.library.on_changed = lambda change: 1 / 0
        write_games("alpha", one="First")
        await it.until(lambda: it.ids() == ["alpha:one"])
        write_games("alpha", two="Second")
        await it.until(lambda: it.ids() == ["alpha:two"])


async def test_the_list_is_the_same_object_until_something_changes(
    install_store, write_games, running
) -> None:
    install_store("alpha")
    write_games("alpha", one="First")

    async with running("alpha") as it:
        games, told = it.library.games(), len(it.changes)
        await it.library.refresh()

        assert it.library.games() is games
        assert len(it.changes) == told


async def test_closing_in_the_middle_of_a_scan_takes_the_child_along(
    install_store, facts, home, tmp_path
) -> None:
    hang = "\n@hookimpl\ndef library_games(host):\n"
    hang += "    Path(host.environment['HOME'], 'pid').write_text(str(os.getpid()))\n"
    install_store("alpha", hang + "    time.sleep(600)\n")
    library = Library(facts, CustomGames(tmp_path / "config"), HiddenGames(tmp_path / "config"))
    library.start(["alpha"])
    it = Running(library, home)
    await it.until(lambda: (home / "pid").exists() and (home / "pid").read_text())

    await library.close()

    assert not Path("/proc", (home / "pid").read_text()).exists()


async def test_closing_ends_at_once_whatever_has_just_happened(facts, tmp_path) -> None:
    for _ in range(30):
        library = Library(facts, CustomGames(tmp_path / "config"), HiddenGames(tmp_path / "config"))
        library.start([])
        await asyncio.sleep(0.005)
        library._dirty.set()  # as the watcher does
        async with asyncio.timeout(30):
            await library.close()


KINDS = [("steam_appid", "570"), ("command", "true"), ("alpha", "one"), ("alpha", "not there yet")]


@pytest.mark.parametrize(("kind", "value"), KINDS)
async def test_own_entries_may_use_any_kind_that_a_store_has(
    install_store, write_games, running, kind: str, value: str
) -> None:
    install_store("alpha")
    write_games("alpha", one="First")

    async with running("alpha") as it:
        launch = LaunchTarget(kind=kind, value=value)
        mine = it.library.create(CustomInput(title="Mine", launch=launch))

        found = it.library.find(f"custom:{mine.id}")
        assert found.target == launch
        assert (found.launch is None) == (value == "not there yet")


@pytest.mark.parametrize(
    ("kind", "value"),
    [("beta", "1"), ("steam_appid", "570 -x"), ("steam_appid", "١"), ("steam_appid", "1" * 21)],
)
async def test_a_launch_that_nobody_knows_is_refused(facts, tmp_path, kind, value) -> None:
    library = Library(facts, CustomGames(tmp_path), HiddenGames(tmp_path))
    mine = library.create(CustomInput(title="Mine"))
    wanted = CustomInput(title="Mine", launch=LaunchTarget(kind=kind, value=value))

    for attempt in (lambda: library.create(wanted), lambda: library.update(mine.id, wanted)):
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.fields["status"] == 400
    assert json.loads((tmp_path / "library.json").read_text())["entries"][0]["launch"] is None


async def test_stores_come_and_go_while_it_runs(running, home, install_store, write_games) -> None:
    install_store("alpha")
    install_store("beta")
    for name in ("alpha", "beta"):
        write_games(name, first=f"Game of {name}")
    async with running("alpha") as it:
        it.library.use(["alpha", "beta"])
        await it.until(lambda: len(it.library.games()) == 2)

        it.library.use(["beta"])
        await it.until(lambda: len(it.library.games()) == 1)

        assert [store.name for store in it.library.stores()] == ["beta"]
        assert it.library.games()[0].id == "beta:first"
