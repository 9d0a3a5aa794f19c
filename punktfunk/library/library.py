"""The library: what all stores list and a person's own entries, kept up to date."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress

import attrs

from punktfunk.errors import Refused
from punktfunk.library.custom import CustomGame, CustomGames, CustomInput
from punktfunk.library.fingerprint import fingerprint
from punktfunk.library.hidden import HiddenGames
from punktfunk.library.merging import COMMAND, CUSTOM_STORE, STEAM_APPID, merged
from punktfunk.library.scanner import scan
from punktfunk.library.stores import RETRY_S, Store, StoreStatus, after
from punktfunk.library.watching import Watcher
from punktfunk.model.games import GameEntry, LaunchTarget
from punktfunk.model.offers import HostFacts

PAUSE_S = 4.0
_MAX_STEAM_DIGITS = 20
_CLOSE_TIMEOUT_S = 2.0

log = logging.getLogger(__name__)


@attrs.frozen
class LibraryChange:
    """Ids of the games that came, went, or are otherwise."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


class Library:
    """All games, by title. Used from the host's event loop.

    Attributes:
        on_changed: Called after the games have become others. A store's first list is no change:
            its games were there before the host was.

    Args:
        facts: What stores are told about the machine, their settings included.
        custom: A person's own entries.
        hidden: Which games stay out of Moonlight's list.
        pause_s: Between two scans that files have asked for.
    """

    def __init__(
        self,
        facts: HostFacts,
        custom: CustomGames,
        hidden: HiddenGames,
        *,
        pause_s: float = PAUSE_S,
    ) -> None:
        self.on_changed: Callable[[LibraryChange], None] = lambda _change: None
        self._facts = facts
        self._custom = custom
        self._hidden = hidden
        self._pause_s = pause_s
        self._stores: dict[str, Store] = {}
        self._games: tuple[GameEntry, ...] = ()
        self._by_id: dict[str, GameEntry] = {}
        self._scanning = asyncio.Lock()
        self._next_refresh: asyncio.Task[None] | None = None
        self._dirty = asyncio.Event()
        self._watcher: Watcher | None = None
        self._watched: frozenset[str] = frozenset()
        self._tasks: set[asyncio.Task[None]] = set()
        self._merge()

    def start(self, stores: Iterable[str]) -> None:
        """List what the stores have, in the background, and follow their files.

        Args:
            stores: Names of the plugins that list games.
        """
        self._stores = {it: Store.waiting(it) for it in sorted(stores) if it != CUSTOM_STORE}
        loop = asyncio.get_running_loop()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._dirty.set)

        self._watcher = Watcher(wake)
        self._spawn(self._follow())

    def use(self, stores: Iterable[str]) -> None:
        """From now on list what these stores have, in the background."""
        self._spawn(self._use(frozenset(stores) - {CUSTOM_STORE}))

    async def close(self) -> None:
        """End scans that run, and stop watching."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._watcher:
            self._watcher.close()
            await asyncio.to_thread(self._watcher.join, _CLOSE_TIMEOUT_S)

    def games(self) -> tuple[GameEntry, ...]:
        """By title. The same object until something changes."""
        return self._games

    def find(self, game_id: str) -> GameEntry | None:
        return self._by_id.get(game_id)

    def is_hidden(self, game_id: str) -> bool:
        """Whether a person keeps it out of Moonlight's list."""
        return game_id in self._hidden

    def own(self, game_id: str) -> CustomGame | None:
        """An entry of a person's own, by the id it was given."""
        return self._custom.get(game_id)

    def stores(self) -> Sequence[StoreStatus]:
        """Every plugin that lists games, by name."""
        return [store.status for store in self._stores.values()]

    async def refresh(self) -> None:
        """Have every store list its games again. Those who ask meanwhile share the next scan.

        Raises:
            Refused: (503) the host stops.
        """
        if self._next_refresh is None:
            self._next_refresh = self._spawn(self._refresh())
        scan, waiting = self._next_refresh, asyncio.current_task()
        try:
            await asyncio.shield(scan)
        except asyncio.CancelledError:
            if scan.cancelled() and waiting is not None and not waiting.cancelling():
                raise Refused("this host is stopping", status=503) from None
            raise

    def create(self, wanted: CustomInput) -> CustomGame:
        """See `CustomGames.create`; also refuses a launch of a kind that nobody knows."""
        self._check_launch(wanted.launch)
        game = self._custom.create(wanted)
        self._merge()
        return game

    def update(self, game_id: str, wanted: CustomInput) -> CustomGame | None:
        """See `CustomGames.update`; also refuses a launch of a kind that nobody knows."""
        if self._custom.get(game_id) is None:
            return None
        self._check_launch(wanted.launch)
        game = self._custom.update(game_id, wanted)
        self._merge()
        return game

    def delete(self, game_id: str) -> bool:
        """See `CustomGames.delete`."""
        try:
            return self._custom.delete(game_id)
        finally:
            self._merge()

    def put_picture(self, game_id: str, kind: str, picture: bytes) -> bool:
        """See `CustomGames.put_picture`."""
        try:
            return self._custom.put_picture(game_id, kind, picture)
        finally:
            self._merge()

    def remove_picture(self, game_id: str, kind: str) -> bool:
        """See `CustomGames.remove_picture`."""
        try:
            return self._custom.remove_picture(game_id, kind)
        finally:
            self._merge()

    def hide(self, game_id: str) -> bool:
        """Keep a game out of Moonlight's list. False: there is no such game.

        Raises:
            OSError: it could not be written, and the game is not hidden.
        """
        if game_id not in self._by_id:
            return False
        if game_id not in self._hidden:
            self._hidden.add(game_id)
            self._look_again(game_id)
        return True

    def unhide(self, game_id: str) -> bool:
        """Have a game in Moonlight's list again. False: it was not hidden.

        Raises:
            OSError: the disk refused. It is hidden again at the next start.
        """
        if game_id not in self._hidden:
            return False
        try:
            return self._hidden.remove(game_id)
        finally:
            self._look_again(game_id)

    def _look_again(self, game_id: str) -> None:
        """The games are the same, and something about one of them is not."""
        self._games = (*self._games,)  # another object, see `games`
        self._tell(LibraryChange(added=(), removed=(), changed=(game_id,)))

    def _check_launch(self, launch: LaunchTarget | None) -> None:
        if launch is None or launch.kind == COMMAND:
            return
        if launch.kind == STEAM_APPID:
            digits = launch.value.isascii() and launch.value.isdigit()
            if not digits or len(launch.value) > _MAX_STEAM_DIGITS:
                raise Refused("launch.value must be the number of a Steam app", status=400)
            return
        known = {game.target.kind for game in self._games if game.target} | {COMMAND, STEAM_APPID}
        if launch.kind not in known:
            kinds = ", ".join(sorted(known))
            raise Refused(f"launch.kind is none that a store knows ({kinds})", status=400)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _use(self, names: frozenset[str]) -> None:
        async with self._scanning:
            known = self._stores
            self._stores = {it: known.get(it) or Store.waiting(it) for it in sorted(names)}
            self._merge()
            await self._scan(tuple(it for it in self._stores if it not in known))

    async def _refresh(self) -> None:
        async with self._scanning:
            self._next_refresh = None
            await self._scan(tuple(self._stores))

    async def _follow(self) -> None:
        await self.refresh()
        while True:
            with suppress(TimeoutError):
                # Not `wait_for`: before Python 3.12 it may swallow being cancelled.
                async with asyncio.timeout(RETRY_S):
                    await self._dirty.wait()
            self._dirty.clear()
            async with self._scanning:
                if stale := await asyncio.to_thread(self._stale_stores):
                    await self._scan(stale)
            if stale:
                await asyncio.sleep(self._pause_s)

    def _paths(self) -> frozenset[str]:
        return frozenset(path for store in self._stores.values() for path in store.paths)

    def _stale_stores(self) -> tuple[str, ...]:
        return tuple(
            name
            for name, store in self._stores.items()
            if (store.paths and fingerprint(store.paths) != store.fingerprint)
            or time.monotonic() > store.again_at_s
        )

    async def _scan(self, names: Sequence[str]) -> None:
        found = await scan(names, self._facts)
        asked = {
            name: await asyncio.to_thread(after, self._stores[name], it)
            for name, it in found.items()
        }
        self._stores |= {name: it for name, it in asked.items() if not self._stores[name].listed}
        self._merge(tell=False)
        self._stores |= asked
        if self._watcher and (paths := self._paths()) != self._watched:
            self._watched = paths
            self._watcher.watch(paths)
        self._merge()

    def _merge(self, *, tell: bool = True) -> None:
        listed = [game for store in self._stores.values() for game in store.games]
        games = merged(listed, self._custom.with_pictures())
        if games == self._games:
            return
        before, self._by_id = self._by_id, {game.id: game for game in games}
        self._games = games
        if tell:
            self._tell(_change(before, self._by_id))

    def _tell(self, change: LibraryChange) -> None:
        try:
            self.on_changed(change)
        except Exception:
            log.exception("a listener of the library failed")


def _change(before: Mapping[str, GameEntry], after: Mapping[str, GameEntry]) -> LibraryChange:
    return LibraryChange(
        added=tuple(it for it in after if it not in before),
        removed=tuple(it for it in before if it not in after),
        changed=tuple(it for it in after if it in before and after[it] != before[it]),
    )
