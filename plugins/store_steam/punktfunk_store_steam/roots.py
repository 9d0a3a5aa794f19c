"""Where Steam keeps its things: native, Flatpak or Snap; and where its libraries are."""

from enum import StrEnum
from pathlib import Path

import attrs

from punktfunk.plugin import HostFacts
from punktfunk_store_steam.reading import Reading, is_file
from punktfunk_store_steam.vdf import Node, VdfError, map_of, parse_text, text_of

MAX_LIBRARIES = 64
_MAX_FOLDERS_FILE_BYTES = 1 << 20
# Steam writes the same into both; which of them is newer differs with its version.
_FOLDERS_FILES = ("steamapps/libraryfolders.vdf", "config/libraryfolders.vdf")

_FLATPAK_ID = "com.valvesoftware.Steam"
_PLACES = (
    ".local/share/Steam",
    ".steam/steam",
    ".steam/root",
    ".steam/debian-installation",
    f".var/app/{_FLATPAK_ID}/.local/share/Steam",
    f".var/app/{_FLATPAK_ID}/data/Steam",
    "snap/steam/common/.local/share/Steam",
)


class Packaging(StrEnum):
    NATIVE = "native"
    FLATPAK = "Flatpak"
    SNAP = "Snap"

    @property
    def command(self) -> tuple[str, ...]:
        """The argv that an address for Steam is put behind."""
        return _COMMANDS[self]


_COMMANDS = {
    Packaging.NATIVE: ("steam",),
    Packaging.FLATPAK: ("flatpak", "run", _FLATPAK_ID),
    Packaging.SNAP: ("snap", "run", "steam"),
}


@attrs.frozen
class Root:
    """One installation.

    Attributes:
        folder: Without links.
    """

    packaging: Packaging
    folder: Path


def possible_places(host: HostFacts) -> list[Path]:
    """Every path at which an installation may be; several are often links to the same."""
    home = Path(host.environment.get("HOME", ""))
    data_home = Path(host.environment.get("XDG_DATA_HOME", ""))
    places = [home / place for place in _PLACES] if home.is_absolute() else []
    if data_home.is_absolute():
        places.append(data_home / "Steam")
    return places


def folders_files(folder: Path) -> tuple[Path, ...]:
    """Name the files that list an installation's libraries."""
    return tuple(folder / name for name in _FOLDERS_FILES)


def steam_roots(host: HostFacts) -> list[Root]:
    """List every installation once."""
    home = Path(host.environment.get("HOME", ""))
    snaps = real_path(home / "snap")
    found: dict[Path, Root] = {}
    for place in possible_places(host):
        folder = real_path(place)
        # An uninstalled Steam leaves folders behind; one of these files lists the libraries.
        if folder is None or not any(map(is_file, folders_files(folder))):
            continue
        if _FLATPAK_ID in folder.parts:
            packaging = Packaging.FLATPAK
        elif snaps is not None and folder.is_relative_to(snaps):
            packaging = Packaging.SNAP
        else:
            packaging = Packaging.NATIVE
        found.setdefault(folder, Root(packaging, folder))
    return list(found.values())


def library_folders(root: Root, reading: Reading) -> list[Path]:
    """List a root's libraries, each once and without links; the root itself is the first."""
    found = {root.folder: None}
    for path in folders_files(root.folder):
        for name in _listed(path, reading):
            folder = real_path(Path(name)) if name.startswith("/") else None
            if folder is not None:
                found.setdefault(folder)
    if len(found) > MAX_LIBRARIES:
        reading.leave_out(root.folder, f"libraries beyond the first {MAX_LIBRARIES}")
    return list(found)[:MAX_LIBRARIES]


def real_path(path: Path) -> Path | None:
    """Follow links; None where they go in a circle, or the path is none."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return None


def _listed(path: Path, reading: Reading) -> list[str]:
    data = reading.read(path, _MAX_FOLDERS_FILE_BYTES)
    if data is None:
        return []
    try:
        node = parse_text(data)
    except VdfError as error:
        reading.leave_out(path, str(error))
        node = error.partial  # a library that was read is one all the same
    numbered = map_of(node, "libraryfolders")
    return [_path_of(numbered, key) for key in numbered if key.isdecimal()]


def _path_of(numbered: Node, key: str) -> str:
    # Until 2021 a number led to a path, since then to a map with a path in it.
    return text_of(map_of(numbered, key), "path") or text_of(numbered, key)
