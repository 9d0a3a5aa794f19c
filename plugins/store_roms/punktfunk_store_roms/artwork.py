"""Pictures of games: next to the file, or where front ends keep them."""

from pathlib import Path

from punktfunk.plugin import Artwork
from punktfunk_store_roms.scanning import Scan

# Folder, below the game's own or the system's, and what follows the game's name.
_PLACES = {
    "portrait": (
        ("", ""),
        ("covers", ""),
        ("boxart", ""),
        ("media", ""),
        ("media/covers", ""),
        ("media/box2dfront", ""),
        ("images", ""),
        ("images", "-image"),
    ),
    "hero": (("media/fanart", ""), ("images", "-fanart")),
    "logo": (("media/marquees", ""), ("images", "-marquee")),
}
_TYPES = ("png", "jpg", "jpeg", "webp")


class Pictures:
    """The pictures of one system's games."""

    def __init__(self, folder: Path, scan: Scan) -> None:
        self._folder = folder
        self._scan = scan
        self._names: dict[Path, frozenset[str]] = {}

    def of(self, rom: Path) -> Artwork:
        """Find the pictures of a game; there may be none."""
        found = {field: self._find(rom, field) for field in _PLACES}
        return Artwork(**{field: path for field, path in found.items() if path})

    def _find(self, rom: Path, field: str) -> str:
        for base in dict.fromkeys((rom.parent, self._folder)):
            for place, ending in _PLACES[field]:
                names = self._names_in(base / place)
                for kind in _TYPES:
                    name = f"{rom.stem}{ending}.{kind}"
                    if name in names:
                        return str(base / place / name)
        return ""

    def _names_in(self, folder: Path) -> frozenset[str]:
        if folder not in self._names:
            self._names[folder] = self._scan.names(folder)
        return self._names[folder]
