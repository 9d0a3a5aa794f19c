"""Where Lutris keeps its database and its pictures: native or Flatpak."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import attrs

from punktfunk.plugin import Availability, HostFacts

FLATPAK_ID = "net.lutris.Lutris"
FLATPAK_COMMAND = ("flatpak", "run", FLATPAK_ID)

_HINT = "start Lutris once, or remove this plugin"


@attrs.frozen(kw_only=True)
class Root:
    """One installation of Lutris.

    Attributes:
        kind: `native` or `Flatpak`.
    """

    kind: str
    data: Path
    cache: Path

    @property
    def database(self) -> Path:
        return self.data / "pga.db"

    def picture(self, folder: str, slug: str) -> Path | None:
        """Find a picture; newer versions keep them in the cache."""
        for base in (self.cache, self.data):
            for suffix in ("jpg", "png"):
                path = base / folder / f"{slug}.{suffix}"
                if _is_file(path):
                    return path
        return None

    def watched(self) -> Iterator[Path]:
        """Say what to watch: the database, what is written beside it, the pictures."""
        places = [self.database, self.database.with_name("pga.db-wal")]
        places += [base / name for base in (self.cache, self.data) for name in _PICTURES]
        for path in places:
            while not _exists(path.parent):
                path = path.parent
            yield path


def all_roots(host: HostFacts) -> list[Root]:
    """List where Lutris would be, whether it is there or not."""
    home = Path(host.environment.get("HOME", ""))
    if not home.is_absolute():
        return []
    in_flatpak = home / ".var/app" / FLATPAK_ID
    return [
        Root(
            kind="native",
            data=_base(host, "XDG_DATA_HOME", home / ".local/share") / "lutris",
            cache=_base(host, "XDG_CACHE_HOME", home / ".cache") / "lutris",
        ),
        Root(kind="Flatpak", data=in_flatpak / "data/lutris", cache=in_flatpak / "cache/lutris"),
    ]


def lutris_roots(host: HostFacts) -> list[Root]:
    """List the installations there are."""
    return [root for root in all_roots(host) if _exists(root.database)]


def status(host: HostFacts, command: tuple[str, ...]) -> Availability:
    """Say which installations were found, and whether they can be started."""
    roots = lutris_roots(host)
    if not roots:
        return Availability.no("no database of Lutris was found in the home folder", _HINT)
    places = ", ".join(f"{root.kind} ({root.database})" for root in roots)
    path = host.environment.get("PATH")
    programs = {"native": command[0], "Flatpak": FLATPAK_COMMAND[0]}
    names = [programs[root.kind] for root in roots]
    if not any(shutil.which(name, path=path) for name in names):
        reason = f"games of Lutris were found ({places}), but not the program {' and '.join(names)}"
        return Availability.no(reason, "install Lutris, or set [plugin.lutris] command to its argv")
    return Availability.yes(f"Lutris was found: {places}")


_PICTURES = ("coverart", "banners")


def _base(host: HostFacts, variable: str, default: Path) -> Path:
    named = Path(host.environment.get(variable, ""))
    return named if named.is_absolute() else default


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # such as no permission
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size > 0
    except OSError:
        return False
