"""Pictures that a person gave the host for entries of their own: files below `art`.

What came is never kept: it is decoded, made smaller, and written anew.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import attrs
from PIL import Image, ImageOps

from punktfunk.errors import Refused
from punktfunk.library.box_art import FORMATS
from punktfunk.library.pictures import Picture, checked_picture
from punktfunk.model.games import Artwork
from punktfunk.trust.files import make_private_folder, write_atomically

ART_FOLDER = "art"
KINDS = tuple(field.name for field in attrs.fields(Artwork))
MOST_PX: Mapping[str, tuple[int, int]] = {
    "portrait": (600, 900),
    "hero": (1_920, 1_080),
    "logo": (960, 540),
    "header": (920, 430),
}
"""Width and height that are kept of each kind."""
_QUALITY = 90
_FILE = re.compile(
    rf"(?P<id>[0-9a-z_-]{{1,64}})\.(?P<kind>{'|'.join(KINDS)})\.[0-9a-f]{{12}}\.webp"
)

log = logging.getLogger(__name__)


class CustomArt:
    """The pictures by entry and kind. Used from one thread.

    Args:
        folder: Of the configuration.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / ART_FOLDER
        self._files: dict[str, dict[str, Path]] = {}
        for path in _by_age(self._folder):
            if match := _FILE.fullmatch(path.name):
                self._files.setdefault(match["id"], {})[match["kind"]] = path

    def of(self, entry_id: str) -> Mapping[str, str]:
        """Paths by kind."""
        return {kind: str(path) for kind, path in self._files.get(entry_id, {}).items()}

    def put(self, entry_id: str, kind: str, picture: bytes) -> None:
        """Keep a picture instead of the one there was.

        Args:
            picture: Of `redrawn`.

        Raises:
            OSError: it could not be written, and the old one is still there.
        """
        # Another name for another picture, so that nobody who kept the old one shows that.
        path = self._folder / f"{entry_id}.{kind}.{sha256(picture).hexdigest()[:12]}.webp"
        make_private_folder(self._folder)
        write_atomically(path, picture)
        files = self._files.setdefault(entry_id, {})
        before, files[kind] = files.get(kind), path
        if before not in (None, path):
            _delete(before)

    def remove(self, entry_id: str, kind: str) -> bool:
        """Delete a picture. Says whether it was there."""
        path = self._files.get(entry_id, {}).pop(kind, None)
        _delete(path)
        return path is not None

    def remove_all(self, entry_id: str) -> None:
        """Delete every picture of an entry."""
        for path in self._files.pop(entry_id, {}).values():
            _delete(path)


def redrawn(data: bytes, kind: str) -> bytes:
    """Make a WebP of our own of a picture from elsewhere. Takes a while.

    Raises:
        Refused: it is none that we take; the message says why.
    """
    try:
        picture = checked_picture(data)
    except ValueError as error:
        raise Refused(f"this picture cannot be used: {error}", status=400) from None
    try:
        image = _decoded(picture, MOST_PX[kind])
    except Exception as error:  # decoders raise whatever they like at broken files
        log.info("a picture cannot be decoded: %r", error)
        raise Refused("this picture cannot be used: it is damaged", status=400) from None
    file = BytesIO()
    image.save(file, "WEBP", quality=_QUALITY)
    return file.getvalue()


def _decoded(picture: Picture, most_px: tuple[int, int]) -> Image.Image:
    """Decode what the header has promised, and nothing larger or other than that."""
    with Image.open(BytesIO(picture.data), formats=[FORMATS[picture.media_type]]) as image:
        if image.size != (picture.width_px, picture.height_px):
            raise ValueError("its header says two sizes")
        image.draft("RGB", most_px)
        upright = ImageOps.exif_transpose(image)
        made = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    made.thumbnail(most_px)
    made.info.clear()
    return made


def _by_age(folder: Path) -> Sequence[Path]:
    """The oldest first. None where they cannot be looked at: pictures stop nothing."""
    try:
        return sorted(folder.iterdir(), key=lambda it: it.lstat().st_mtime_ns)
    except FileNotFoundError:
        return ()
    except OSError as error:
        log.warning("the pictures of your own entries cannot be found: %s", error)
        return ()


def _delete(path: Path | None) -> None:
    if path is None:
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("a picture that is not needed any more cannot be deleted: %s", error)
