"""What a store promises: the games of a fixture home, and nothing else touched."""

import asyncio
import contextlib
import itertools
import os
import threading
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

import attrs
import pytest

from punktfunk.library.listing import Listing
from punktfunk.library.scanner import scan
from punktfunk.model.games import GameEntry
from punktfunk.model.offers import HostFacts
from punktfunk.registry.calls import call_alone
from punktfunk.registry.discovery import PLUGIN_GROUP, installed
from punktfunk.registry.loading import new_manager
from punktfunk.registry.settings import plugin_settings
from punktfunk.testing.contract import Contract
from punktfunk.testing.watch import Watch

MAX_PATHS = 500
_MAX_DAMAGED_FILES = 100
_MAX_DAMAGED_BYTES = 1 << 20
_SHELLS = frozenset({"ash", "bash", "busybox", "csh", "dash", "fish", "ksh", "sh", "tcsh", "zsh"})


class StoreContract(Contract):
    """Promises of a plugin that lists games. Install it first, `pip install -e .` will do.

    Supply the fixture `host`: facts whose `HOME` is a folder of the test's own, with files as
    the store's own program writes them, and with at least one game that can be launched.

    Attributes:
        name: The name of its entry point in the group `punktfunk.plugins`.
        patience_s: How long an answer may take where the store must not wait.
    """

    name: ClassVar[str]
    patience_s: ClassVar[float] = 20.0

    @pytest.fixture
    def host(self) -> HostFacts:
        """Facts that point to a home with games in it."""
        raise NotImplementedError("supply a fixture `host` whose HOME is a folder with games")

    @pytest.fixture
    def empty_host(self, host: HostFacts, tmp_path: Path) -> HostFacts:
        """The same facts with a home in which there is nothing."""
        home = tmp_path / "empty home"
        home.mkdir()
        return attrs.evolve(host, environment={"HOME": str(home)}, settings={})

    @pytest.fixture
    def games(self, host: HostFacts) -> list[GameEntry]:
        """What the store lists for `host`."""
        return self.list_games(host)

    def list_games(self, host: HostFacts) -> list[GameEntry]:
        """Ask the store as the host does: with the settings' defaults filled in."""
        found = self._call("library_games", host)
        assert isinstance(found, list), f"library_games returned a {type(found).__name__}"
        assert [type(game).__name__ for game in found if not isinstance(game, GameEntry)] == []
        return found

    def list_paths(self, host: HostFacts) -> list[Path]:
        """Ask the store what to watch; nothing when it has no such hook."""
        found = self._call("library_paths", host)
        if found is None:
            return []
        assert isinstance(found, list), f"library_paths returned a {type(found).__name__}"
        return found

    def test_it_lists_a_game_that_can_be_launched(self, games: list[GameEntry]) -> None:
        assert [game.id for game in games if game.installed and game.launch] != []

    def test_ids_begin_with_the_stores_name(self, games: list[GameEntry]) -> None:
        assert [game.id for game in games if game.store != self.name] == []

    def test_ids_are_unique(self, games: list[GameEntry]) -> None:
        counts = Counter(game.id for game in games)

        assert [identity for identity, count in counts.items() if count > 1] == []

    def test_it_answers_the_same_when_asked_again(
        self, host: HostFacts, games: list[GameEntry]
    ) -> None:
        again = self.list_games(host)

        assert {game.id: game for game in again} == {game.id: game for game in games}

    def test_titles_are_fit_to_be_shown(self, games: list[GameEntry]) -> None:
        titles = [game.title for game in games]

        assert [title for title in titles if title != title.strip()] == []
        assert [title for title in titles if not title.isprintable()] == []

    def test_art_is_a_https_address_or_a_file(self, games: list[GameEntry]) -> None:
        pictures = [picture for game in games for picture in attrs.astuple(game.art) if picture]

        assert [picture for picture in pictures if not _is_picture(picture)] == []

    def test_what_can_be_launched_says_how_and_as_what(self, games: list[GameEntry]) -> None:
        halves = [game.id for game in games if (game.target is None) != (game.launch is None)]
        targets = [game.target for game in games if game.target]

        assert halves == []
        assert [target for target in targets if not target.kind or not target.value] == []

    def test_launches_are_argument_lists(self, games: list[GameEntry]) -> None:
        for game in games:
            if game.launch is None:
                continue
            texts = [*game.launch.argv, game.launch.folder, game.launch.process_sign]
            texts += [text for pair in game.launch.environment.items() for text in pair]
            assert all(isinstance(text, str) and "\0" not in text for text in texts), game.id
            assert game.launch.argv and game.launch.argv[0], game.id
            assert not game.launch.folder or PurePosixPath(game.launch.folder).is_absolute()

    def test_launches_need_no_shell(self, games: list[GameEntry]) -> None:
        launches = [game.launch for game in games if game.launch]

        assert [launch.argv for launch in launches if _runs_a_shell(launch.argv)] == []

    def test_the_host_takes_every_game_and_serves_its_pictures(
        self, host: HostFacts, games: list[GameEntry]
    ) -> None:
        found = asyncio.run(scan([self.name], host))[self.name]

        assert isinstance(found, Listing), found.reason
        assert (found.failure, found.problems) == ("", ())
        taken = {game.id: _without_places(game) for game in found.games}
        others = [game.id for game in games if taken.get(game.id) != _without_places(game)]
        assert others == [], f"{others} arrive otherwise; is each picture PNG, JPEG or WebP?"

    def test_watched_paths_are_absolute_and_few(self, host: HostFacts) -> None:
        paths = self.list_paths(host)

        assert [path for path in paths if not isinstance(path, Path)] == []
        assert [path for path in paths if not path.is_absolute()] == []
        assert len(paths) <= MAX_PATHS

    def test_an_empty_home_has_no_games(self, empty_host: HostFacts) -> None:
        assert self.list_games(empty_host) == []
        assert all(path.is_absolute() for path in self.list_paths(empty_host))

    def test_a_home_that_is_not_there_has_no_games(self, host: HostFacts, tmp_path: Path) -> None:
        nowhere = attrs.evolve(host, environment={"HOME": str(tmp_path / "nobody")}, settings={})

        assert self.list_games(nowhere) == []
        assert self.list_games(attrs.evolve(nowhere, environment={})) == []
        self.list_paths(attrs.evolve(nowhere, environment={}))

    def test_nothing_is_written_started_or_asked_of_the_network(self, host: HostFacts) -> None:
        home = _home(host)
        self.list_games(host)  # what it imports is compiled, and written down, by now
        before = _snapshot(home)

        with Watch() as watch:
            self.list_games(host)
            self.list_paths(host)

        assert watch.seen == []
        assert _snapshot(home) == before

    @pytest.mark.parametrize("damage", ["empty", "half", "noise", "folder"])
    def test_a_damaged_file_is_no_error(self, host: HostFacts, damage: str) -> None:
        for path in _files(_home(host)):
            content = path.read_bytes()
            _damage(path, content, damage)
            try:
                games = self.list_games(host)
                self.list_paths(host)
            finally:
                if damage == "folder":
                    path.rmdir()
                path.write_bytes(content)
            assert [game.id for game in games if game.store != self.name] == []

    def test_a_pipe_in_place_of_a_file_does_not_stop_it(self, host: HostFacts) -> None:
        for path in _files(_home(host)):
            content = path.read_bytes()
            path.unlink()
            os.mkfifo(path)
            try:
                _without_waiting(lambda: self.list_games(host), path, self.patience_s)
            finally:
                path.unlink()
                path.write_bytes(content)

    def _call(self, hook: str, host: HostFacts) -> object:
        found = installed(PLUGIN_GROUP).chosen
        assert self.name in found, f"no plugin {self.name} is installed, only {sorted(found)}"
        module: Any = found[self.name].load()
        manager = new_manager()
        manager.register(module, self.name)
        table = plugin_settings(module.manifest, host.settings.get(self.name, {}), name=self.name)
        facts = attrs.evolve(host, settings={**host.settings, self.name: table})
        return call_alone(manager, self.name, hook, host=facts)


def _home(host: HostFacts) -> Path:
    home = Path(host.environment["HOME"])
    assert home != Path.home(), "the fixture's HOME must be a folder of the test's own"
    return home


def _is_picture(picture: str) -> bool:
    return picture.startswith("https://") or (
        PurePosixPath(picture).is_absolute() and Path(picture).is_file()
    )


def _without_places(game: GameEntry) -> GameEntry:
    """The host goes by the real paths of files, and drops what is no picture that it serves."""
    local = {kind: "/" for kind, it in attrs.asdict(game.art).items() if it and it[0] == "/"}
    return attrs.evolve(game, art=attrs.evolve(game.art, **local))


def _runs_a_shell(argv: tuple[str, ...]) -> bool:
    """Say whether a shell is given a command line: `sh -c`, also behind `env` and the like."""
    return any(
        PurePosixPath(word).name in _SHELLS
        and following.startswith("-")
        and following.endswith("c")
        for word, following in itertools.pairwise(argv)
    )


def _files(home: Path) -> list[Path]:
    """The files to damage: the smaller ones, which say what there is."""
    found = [path for path in sorted(home.rglob("*")) if path.is_file() and not path.is_symlink()]
    small = [path for path in found if path.stat().st_size <= _MAX_DAMAGED_BYTES]
    assert small, f"there are no files in the fixture's home {home}"
    return small[:_MAX_DAMAGED_FILES]


def _damage(path: Path, content: bytes, damage: str) -> None:
    match damage:
        case "empty":
            path.write_bytes(b"")
        case "half":
            path.write_bytes(content[: len(content) // 2])
        case "noise":
            noise = b"".join(sha256(b"%d" % number).digest() for number in range(64))
            path.write_bytes(noise)
        case "folder":
            path.unlink()
            path.mkdir()


def _snapshot(home: Path) -> dict[str, tuple[int, bytes]]:
    """Every file's time of change and digest, folders included."""
    found = {}
    for path in (home, *sorted(home.rglob("*"))):
        status = path.lstat()
        digest = sha256(path.read_bytes()).digest() if path.is_file() else b""
        found[str(path)] = (status.st_mtime_ns, digest)
    return found


def _without_waiting(call: Callable[[], object], pipe: Path, patience_s: float) -> None:
    """Run something that must not wait for somebody to write into the pipe."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(patience_s)
    waited = thread.is_alive()
    while thread.is_alive():
        with contextlib.suppress(OSError):  # nobody reads at this moment
            os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        thread.join(0.05)
    assert not waited, f"it waits for ever when {pipe.name} is a pipe: look before you open"
    if failures:
        raise failures[0]
