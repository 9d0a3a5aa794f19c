"""Where desktop entries are, and which of them win.

A folder's place in the list is its weight: a person's own entries hide the system's of the
same id, as the Desktop Entry Specification says.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from punktfunk.plugin import Availability, HostFacts

MAX_ENTRIES = 10_000
MAX_DEPTH = 8
MAX_FOLDERS = 1_000
MAX_WATCHED = 400

DEFAULT_DATA_DIRS = "/usr/local/share:/usr/share"
SYSTEM_FLATPAKS = "/var/lib/flatpak/exports/share"
_SUFFIX = ".desktop"


def data_folders(host: HostFacts) -> list[Path]:
    """List the `share` folders: the person's, the system's, and what Flatpak exports."""
    named = host.environment.get("XDG_DATA_DIRS") or DEFAULT_DATA_DIRS
    folders = [Path(folder) for folder in named.split(":")]
    home = Path(host.environment.get("HOME", ""))
    if home.is_absolute():
        own = Path(host.environment.get("XDG_DATA_HOME", ""))
        own = own if own.is_absolute() else home / ".local/share"
        folders = [own, *folders, own / "flatpak/exports/share"]
    folders.append(Path(SYSTEM_FLATPAKS))
    return list(dict.fromkeys(folder for folder in folders if folder.is_absolute()))


def entry_files(host: HostFacts) -> dict[str, Path]:
    """Find the file of every desktop id, at most `MAX_ENTRIES`.

    The id is the path below `applications` with dashes for slashes, here without `.desktop`.
    """
    found: dict[str, Path] = {}
    for folder in data_folders(host):
        top = folder / "applications"
        for path in _files(top):
            if len(found) == MAX_ENTRIES:
                return found
            if path.name.endswith(_SUFFIX):
                name = str(path.relative_to(top)).removesuffix(_SUFFIX)
                found.setdefault(name.replace("/", "-"), path)
    return found


def watched(host: HostFacts) -> list[Path]:
    """Say what to watch: folders of entries, or the first folder on the way that is missing."""
    found: dict[Path, None] = {}
    for folder in data_folders(host):
        top = folder / "applications"
        if _is_there(top):
            found |= dict.fromkeys((top, *_folders(top)))
            continue
        while not _is_there(top.parent):
            top = top.parent
        found[top] = None
    return list(found)[:MAX_WATCHED]


def status(host: HostFacts) -> Availability:
    """Say where entries are."""
    found = [folder for folder in data_folders(host) if _is_there(folder / "applications")]
    if not found:
        return Availability.no(
            "there is no folder with menu entries",
            "set XDG_DATA_DIRS for the host, or remove this plugin",
        )
    return Availability.yes(f"menu entries are read from {', '.join(map(str, found))}")


def _files(top: Path) -> Iterator[Path]:
    for folder in (top, *_folders(top)):
        yield from (Path(item.path) for item in _scan(folder) if not _is_folder(item))


def _folders(top: Path) -> Iterator[Path]:
    """List all folders below, each once, though links may lead in circles."""
    seen = {_identity(top)}
    waiting = [(top, 0)]
    while waiting and len(seen) < MAX_FOLDERS:
        folder, depth = waiting.pop()
        if depth == MAX_DEPTH:
            continue
        for item in _scan(folder):
            path = Path(item.path)
            if _is_folder(item) and (identity := _identity(path)) not in seen:
                seen.add(identity)
                waiting.append((path, depth + 1))
                yield path


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as items:
            return sorted(items, key=lambda item: item.name)
    except OSError:  # such as no permission, or not there
        return []


def _is_folder(item: os.DirEntry[str]) -> bool:
    try:
        return item.is_dir()
    except OSError:
        return False


def _is_there(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except (OSError, ValueError):  # such as no permission
        return False


def _identity(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_dev, status.st_ino)
