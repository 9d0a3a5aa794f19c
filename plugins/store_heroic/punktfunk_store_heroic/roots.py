"""Where Heroic keeps its things: native or Flatpak, in one folder or in the XDG ones."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs

from punktfunk.plugin import Availability, HostFacts

FLATPAK_ID = "com.heroicgameslauncher.hgl"
FLATPAK_COMMAND = ("flatpak", "run", FLATPAK_ID)

_HINT = "start Heroic once, or set [plugin.heroic] command"


@attrs.frozen
class Root:
    """One installation of Heroic.

    Attributes:
        kind: `native` or `Flatpak`.
        folders: Where its files may be. Heroic kept all in the last one for years, then began
            to divide them up. It moves what it finds, so the first that has a file is right.
    """

    kind: str
    folders: tuple[Path, ...]

    @property
    def place(self) -> Path:
        """Where the settings are, in every version."""
        return self.folders[-1]

    def find(self, names: Iterable[str]) -> Path | None:
        """Find the first of several files, given relative to the root; newest name first."""
        for name in names:
            for folder in self.folders:
                if _exists(folder / name):
                    return folder / name
        return None

    def watched(self, names: Iterable[str]) -> Iterator[Path]:
        """Say for each name what to watch: the file, or the first folder that is missing."""
        for name in names:
            for folder in self.folders:
                path = folder / name
                while not _exists(path.parent):
                    path = path.parent
                yield path


def all_roots(host: HostFacts) -> list[Root]:
    """List where Heroic would be, whether it is there or not."""
    home = host.environment.get("HOME", "")
    if not Path(home).is_absolute():
        return []
    in_flatpak = Path(home, ".var/app", FLATPAK_ID)
    native = (
        _base(host, variable, Path(home, default)) / name for variable, default, _, name in _FOLDERS
    )
    return [
        Root("native", tuple(native)),
        Root("Flatpak", tuple(in_flatpak / base / name for _, _, base, name in _FOLDERS)),
    ]


def heroic_roots(host: HostFacts) -> list[Root]:
    """List the installations there are."""
    return [root for root in all_roots(host) if _exists(root.place)]


def status(host: HostFacts, command: tuple[str, ...]) -> Availability:
    """Say which installations were found, and whether they can be started."""
    roots = heroic_roots(host)
    if not roots:
        return Availability.no("no Heroic was found in the home folder", _HINT)
    path = host.environment.get("PATH")
    programs = {"native": command[0], "Flatpak": FLATPAK_COMMAND[0]}
    missing = [root for root in roots if not shutil.which(programs[root.kind], path=path)]
    if len(missing) == len(roots):
        names = " and ".join(programs[root.kind] for root in roots)
        reason = f"games of Heroic were found ({_places(roots)}), but not the program {names}"
        return Availability.no(reason, "install Heroic, or set [plugin.heroic] command to its argv")
    return Availability.yes(f"Heroic was found: {_places(roots)}")


# Variable, folder in the home, folder in a Flatpak's home, and Heroic's own spelling of itself.
_FOLDERS = (
    ("XDG_STATE_HOME", ".local/state", ".local/state", "Heroic"),
    ("XDG_DATA_HOME", ".local/share", "data", "heroic"),
    ("XDG_CACHE_HOME", ".cache", "cache", "heroic"),
    ("XDG_CONFIG_HOME", ".config", "config", "heroic"),
)


def _base(host: HostFacts, variable: str, default: Path) -> Path:
    named = Path(host.environment.get(variable, ""))
    return named if named.is_absolute() else default


def _places(roots: list[Root]) -> str:
    return ", ".join(f"{root.kind} ({root.place})" for root in roots)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # such as no permission
        return False
