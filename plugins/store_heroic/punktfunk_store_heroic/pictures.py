"""Pictures of a game: from Heroic's own cache, or where the store has them."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

from punktfunk.plugin import Artwork
from punktfunk_store_heroic.reading import text
from punktfunk_store_heroic.roots import Root

MAX_ADDRESS_LENGTH = 2_000

_CACHE = "images-cache"
# Heroic asks Epic for covers of this size, and names its copy by the address it asked for.
_SIZES = ("", "?h=400&resize=1&w=300")
_ADDRESS_SCHEME = "https://"
_FILE_SCHEME = "file://"


def artwork(root: Root, about: Mapping[str, object]) -> Artwork:
    """Find the pictures that Heroic's catalogue names."""
    return Artwork(
        portrait=_picture(root, text(about, "art_square")),
        hero=_picture(root, text(about, "art_background", "art_cover")),
        logo=_picture(root, text(about, "art_logo")),
        header=_picture(root, text(about, "art_cover")),
    )


def _picture(root: Root, address: str) -> str | None:
    if len(address) > MAX_ADDRESS_LENGTH or not address.isascii() or not address.isprintable():
        return None
    if address.startswith(_FILE_SCHEME):  # a picture which a person chose for a game of theirs
        path = Path(unquote(address.removeprefix(_FILE_SCHEME)))
        return str(path) if path.is_absolute() and _is_picture(path) else None
    if not address.startswith(_ADDRESS_SCHEME) or " " in address:
        return None
    for size in _SIZES:
        digest = sha256((address + size).encode()).hexdigest()
        copy = root.find([f"{_CACHE}/{digest}"])
        if copy is not None and _is_picture(copy):
            return str(copy)
    return address


def _is_picture(path: Path) -> bool:
    try:
        if not path.is_file():  # a pipe would make us wait
            return False
        with path.open("rb") as file:
            head = file.read(12)
    except (OSError, ValueError):
        return False
    return head.startswith((b"\x89PNG", b"\xff\xd8\xff")) or head[8:] == b"WEBP"
