"""Where Steam keeps its things: native, Flatpak or Snap."""

from pathlib import Path

from punktfunk.plugin import Availability, HostFacts

MISSING_PART = "listing its games is not in this version"
HINT = "start Steam from the Desktop app, or set it as desktop.command"

_NATIVE = (".local/share/Steam", ".steam/steam", ".steam/root", ".steam/debian-installation")
_FLATPAK = (".var/app/com.valvesoftware.Steam/.local/share/Steam",)
_SNAP = ("snap/steam/common/.local/share/Steam",)


def status(host: HostFacts) -> Availability:
    """Say which installations were found, and that the working part is still missing."""
    found = steam_roots(host)
    if not found:
        return Availability.no(f"no Steam was found in the home folder, and {MISSING_PART}", HINT)
    places = ", ".join(f"{kind} ({root})" for kind, root in found)
    return Availability.no(f"Steam was found: {places}; but {MISSING_PART}", HINT)


def steam_roots(host: HostFacts) -> list[tuple[str, Path]]:
    """List every installation once, as kind and folder.

    Several of the native paths are usually links to the same folder.
    """
    home = host.environment.get("HOME", "")
    if not home:
        return []
    places = [("native", Path(home, place)) for place in _NATIVE]
    if data_home := host.environment.get("XDG_DATA_HOME", ""):
        places.append(("native", Path(data_home, "Steam")))
    places += [("Flatpak", Path(home, place)) for place in _FLATPAK]
    places += [("Snap", Path(home, place)) for place in _SNAP]
    found: dict[Path, str] = {}
    for kind, place in places:
        if _holds_games(place):
            found.setdefault(place.resolve(), kind)
    return [(kind, root) for root, kind in found.items()]


def _holds_games(place: Path) -> bool:
    # An uninstalled Steam leaves folders behind; this file is what lists the libraries.
    try:
        return (place / "steamapps" / "libraryfolders.vdf").is_file()
    except OSError:  # such as no permission
        return False
