"""Box art that was made before, in the cache folder; safe to delete at any time."""

import asyncio
import contextlib
import logging
import os
from hashlib import sha256
from pathlib import Path

from punktfunk.errors import ConfigError
from punktfunk.library.box_art import card, portrait
from punktfunk.library.pictures import read_picture
from punktfunk.model.games import Artwork
from punktfunk.trust.files import make_private_folder, write_atomically

MAX_CACHE_BYTES = 256 << 20
_MAX_AT_ONCE = 2
_RECIPE = 1  # another one when the pictures are made in another way

log = logging.getLogger(__name__)


class BoxArt:
    """Makes box art, each picture once.

    Args:
        folder: Of the cache. Where it cannot be used, pictures are made anew every time.
        max_bytes: How much is kept; what was used least recently goes first.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_CACHE_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._places = asyncio.Semaphore(_MAX_AT_ONCE)

    async def of(self, title: str, store: str, art: Artwork) -> bytes:
        """A PNG of at most 600x900, of local files only: the host fetches nothing."""
        async with self._places:
            return await asyncio.to_thread(self._find_or_make, title, store, art)

    def _find_or_make(self, title: str, store: str, art: Artwork) -> bytes:
        path = self._folder / f"{_key(title, store, art)}.png"
        with contextlib.suppress(OSError):
            found = path.read_bytes()
            os.utime(path)
            return found
        made = _make(title, store, art)
        try:
            make_private_folder(self._folder)
            write_atomically(path, made)
            self._tidy()
        except (OSError, ConfigError) as error:
            log.warning("cannot keep box art: %s", error)
        return made

    def _tidy(self) -> None:
        """Delete what was used least recently, down to three quarters of what may be kept."""
        files = [(status.st_mtime_ns, status.st_size, path) for path, status in self._files()]
        total = sum(size for _, size, _ in files)
        if total <= self._max_bytes:
            return
        for _, size, path in sorted(files):
            path.unlink(missing_ok=True)
            total -= size
            if total <= self._max_bytes * 3 // 4:
                return

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        found = []
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                found.append((path, path.stat()))
        return found


def _make(title: str, store: str, art: Artwork) -> bytes:
    upright, banner = _local(art.portrait), _local(art.header)
    if upright and (picture := read_picture(upright)) and (made := portrait(picture)):
        return made
    return card(title, store, read_picture(banner) if banner else None)


def _key(title: str, store: str, art: Artwork) -> str:
    """Another one when a file has changed."""
    parts: list[object] = [_RECIPE, title, store]
    for path in (_local(art.portrait), _local(art.header)):
        with contextlib.suppress(OSError):
            status = path.stat() if path else None
            parts += [str(path), status and (status.st_mtime_ns, status.st_size, status.st_ino)]
    return sha256(repr(parts).encode()).hexdigest()


def _local(picture: str | None) -> Path | None:
    return Path(picture) if picture and picture.startswith("/") else None
