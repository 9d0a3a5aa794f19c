"""Pictures of games: what the user chose, what Steam has on disk, else where it has them."""

from pathlib import Path

import attrs

from punktfunk.plugin import Artwork
from punktfunk_store_steam.reading import Reading, is_picture

REMOTE = "https://cdn.cloudflare.steamstatic.com/steam/apps"
_MAX_SUBFOLDERS = 32


@attrs.frozen
class _Picture:
    """One of the pictures of a game.

    Attributes:
        chosen: Follows the app's number in the name of a picture that the user chose.
        names: As Steam calls it; the first also on its servers.
    """

    chosen: str
    names: tuple[str, ...]


_PICTURES = {
    "portrait": _Picture("p", ("library_600x900.jpg", "library_capsule.jpg")),
    "hero": _Picture("_hero", ("library_hero.jpg",)),
    "logo": _Picture("_logo", ("logo.png",)),
    "header": _Picture("", ("header.jpg", "library_header.jpg")),
}
_CHOSEN_TYPES = ("png", "jpg", "jpeg", "webp")


def grid_folder(user: Path) -> Path:
    """Where the pictures are that this person chose."""
    return user / "config" / "grid"


class Pictures:
    """The pictures of one installation."""

    def __init__(self, root: Path, users: list[Path], reading: Reading) -> None:
        self._reading = reading
        grids = [grid_folder(user) for user in users]
        self._grids = [(grid, frozenset(reading.names(grid))) for grid in grids]
        self._cache = root / "appcache" / "librarycache"
        self._cached = frozenset(reading.names(self._cache))

    def of_app(self, app_id: int) -> Artwork:
        """Find the pictures of a game of Steam's; each is there, as a file or an address."""
        own = self._of_cache_folder(app_id)
        found: dict[str, str] = {}
        for field, picture in _PICTURES.items():
            path = self._chosen(app_id, picture)
            path = path or self._cached_flat(app_id, picture) or self._first(own, picture)
            found[field] = str(path) if path else f"{REMOTE}/{app_id}/{picture.names[0]}"
        return Artwork(**found)

    def of_shortcut(self, app_id: int) -> Artwork:
        """Find the pictures of a game that is none of Steam's; there may be none."""
        found = {field: self._chosen(app_id, picture) for field, picture in _PICTURES.items()}
        return Artwork(**{field: str(path) for field, path in found.items() if path})

    def _chosen(self, app_id: int, picture: _Picture) -> Path | None:
        for folder, names in self._grids:
            for kind in _CHOSEN_TYPES:
                name = f"{app_id}{picture.chosen}.{kind}"
                if name in names and is_picture(folder / name):
                    return folder / name
        return None

    def _cached_flat(self, app_id: int, picture: _Picture) -> Path | None:
        # Until 2024: one folder, the number in front.
        for name in (f"{app_id}_{name}" for name in picture.names):
            if name in self._cached and is_picture(self._cache / name):
                return self._cache / name
        return None

    def _of_cache_folder(self, app_id: int) -> list[Path]:
        # Since then: a folder of its own, with pictures in it or in folders named by hashes.
        if str(app_id) not in self._cached:
            return []
        folder = self._cache / str(app_id)
        names = self._reading.names(folder)[:_MAX_SUBFOLDERS]
        return [folder, *(folder / name for name in names if "." not in name)]

    def _first(self, folders: list[Path], picture: _Picture) -> Path | None:
        paths = (folder / name for name in picture.names for folder in folders)
        return next((path for path in paths if is_picture(path)), None)
