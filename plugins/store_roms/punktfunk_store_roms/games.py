"""All games of all folders, as the library wants them."""

import os
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from punktfunk.plugin import GameEntry, HostFacts, LaunchSpec, LaunchTarget
from punktfunk_store_roms.artwork import Pictures
from punktfunk_store_roms.discs import without_parts
from punktfunk_store_roms.plan import Collection, read_plan
from punktfunk_store_roms.scanning import Scan
from punktfunk_store_roms.systems import System
from punktfunk_store_roms.titles import clean_title, title_of

MAX_GAMES = 10_000
"""In one folder of the settings."""

# Beside games of a system whose suffixes are not known.
_NO_ROMS = frozenset(
    {"bak", "bmp", "cfg", "css", "dat", "db", "dll", "doc", "gif", "html", "ini", "jpeg", "jpg"}
    | {"json", "log", "md", "md5", "mp3", "mp4", "nfo", "ogg", "opt", "pdf", "png", "rtc", "sav"}
    | {"sfv", "srm", "state", "svg", "tmp", "txt", "url", "webp", "xml", "yaml"}
)


def list_games(host: HostFacts) -> list[GameEntry]:
    """List every game once; of two with the same key, the first folder's."""
    scan = Scan()
    found: dict[str, GameEntry] = {}
    for collection in read_plan(host).collections:
        for game in _games_of(collection, scan):
            found.setdefault(game.id, game)
    scan.report()
    return list(found.values())


def _games_of(collection: Collection, scan: Scan) -> Iterator[GameEntry]:
    pictures = Pictures(collection.folder, scan)
    roms = _roms_in(collection, scan)
    counts = Counter(title_of(rom.stem) for rom in roms)
    for rom in roms:
        title = title_of(rom.stem)
        if counts[title] > 1:  # such as two regions
            title = clean_title(rom.stem)
        relative = rom.relative_to(collection.folder)
        key = game_key(collection.system, relative)
        argv = collection.template.fill(rom) if collection.template else None
        shown = clean_title(f"{collection.system.name}/{relative}")
        yield GameEntry(
            id=f"roms:{key}",
            title=title or f"{collection.system.title} {key[-6:]}",
            art=pictures.of(rom),
            target=LaunchTarget(kind="rom", value=shown) if argv else None,
            launch=LaunchSpec(argv=argv) if argv else None,
        )


def game_key(system: System, relative: Path) -> str:
    """Return a key that stays the same, and does not give away what the file is called."""
    digest = sha256(system.name.encode() + b"\0" + os.fsencode(relative))
    return f"{system.name}-{digest.hexdigest()[:16]}"


def _roms_in(collection: Collection, scan: Scan) -> list[Path]:
    files = [
        listing.folder / name
        for listing in scan.listings(collection.folder)
        for name in listing.files
        if _is_rom(collection.system, name)
    ]
    roms = without_parts(files)
    if len(roms) > MAX_GAMES:
        scan.leave_out(collection.folder, f"games beyond the first {MAX_GAMES}")
    return roms[:MAX_GAMES]


def _is_rom(system: System, name: str) -> bool:
    suffix = Path(name).suffix.lower().removeprefix(".")
    if not system.suffixes:
        return bool(suffix) and suffix not in _NO_ROMS
    return suffix in system.suffixes
