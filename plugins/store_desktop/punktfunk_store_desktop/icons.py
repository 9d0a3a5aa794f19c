"""The picture of an entry: a PNG of the hicolor theme, the largest there is."""

from collections.abc import Iterable, Mapping
from pathlib import Path

# SVG may hold scripts, and other formats are not shown; so PNG only.
_SUFFIX = ".png"
_SIZES_PX = (512, 256, 192, 128, 96, 72, 64, 48, 32)


def icons_in(data_folders: Iterable[Path], home: Path) -> dict[str, Path]:
    """List the icons there are by name, each where it is largest.

    Args:
        data_folders: The `share` folders, best first.
        home: Its `.icons` folder counts too.
    """
    shares = list(data_folders)
    themes = [home / ".icons/hicolor", *(share / "icons/hicolor" for share in shares)]
    places = [theme / f"{size}x{size}/apps" for size in _SIZES_PX for theme in themes]
    places += [share / "pixmaps" for share in shares]
    found: dict[str, Path] = {}
    for place in places:
        for file in _list(place):
            if file.endswith(_SUFFIX):
                found.setdefault(file.removesuffix(_SUFFIX), place / file)
    return found


def find_icon(name: str, icons: Mapping[str, Path]) -> str | None:
    """Look up what an Icon key names: an icon, or the absolute path of a picture."""
    path = icons.get(name.removesuffix(_SUFFIX))
    if name.startswith("/") and name.endswith(_SUFFIX):
        path = Path(name)
    return str(path) if path and _is_file(path) else None


def _list(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:  # mostly it is not there
        return []


def _is_file(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size > 0
    except (OSError, ValueError):
        return False
