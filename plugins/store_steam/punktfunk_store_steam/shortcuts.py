"""Games that people added to Steam by hand: `userdata/<user>/config/shortcuts.vdf`."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import attrs

from punktfunk_store_steam.reading import Reading
from punktfunk_store_steam.titles import clean_title
from punktfunk_store_steam.vdf import Node, VdfError, binary_entries, text_of

MAX_SHORTCUTS_BYTES = 2 << 20
MAX_USERS = 32

# A game id has 64 bits: the app id above, and below what it belongs to.
_IS_SHORTCUT = 0x02000000


@attrs.frozen(kw_only=True)
class Shortcut:
    """A game that is none of Steam's.

    Attributes:
        app_id: 32 bits; names its artwork, and its process.
    """

    app_id: int
    title: str

    @property
    def game_id(self) -> int:
        """64 bits; what `steam://rungameid/` takes."""
        return self.app_id << 32 | _IS_SHORTCUT


def user_folders(root: Path, reading: Reading) -> list[Path]:
    """List the folders of the people who logged in here."""
    names = [name for name in reading.names(root / "userdata") if name.isdecimal()]
    if len(names) > MAX_USERS:
        reading.leave_out(root / "userdata", f"people beyond the first {MAX_USERS}")
    return [root / "userdata" / name for name in names[:MAX_USERS]]


def shortcuts_file(user: Path) -> Path:
    return user / "config" / "shortcuts.vdf"


def user_shortcuts(user: Path, reading: Reading) -> Iterator[Shortcut]:
    """Yield one person's shortcuts, up to where the file is damaged."""
    path = shortcuts_file(user)
    data = reading.read(path, MAX_SHORTCUTS_BYTES)
    if not data:  # Steam leaves an empty file when the last one was removed
        return
    try:
        for entry in binary_entries(data):
            shortcut = _shortcut(entry)
            if shortcut is None:
                reading.leave_out(path, "a shortcut without a name")
            elif not entry.get("ishidden"):
                yield shortcut
    except VdfError as error:
        reading.leave_out(path, str(error))


def _shortcut(entry: Node) -> Shortcut | None:
    name = text_of(entry, "appname")
    title = clean_title(name)
    if not title:
        return None
    app_id = entry.get("appid")
    if not isinstance(app_id, int) or not 0 < app_id < 1 << 32:
        # Steam did not write it before 2020, and took this instead.
        target = (text_of(entry, "exe") + name).encode("utf-8", "surrogateescape")
        app_id = zlib.crc32(target) | 1 << 31
    return Shortcut(app_id=app_id, title=title)
