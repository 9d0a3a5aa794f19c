"""Which files are only parts of a game: the tracks of a disc, the discs of a set."""

import os
import re
from pathlib import Path

from punktfunk_store_roms.scanning import read_start

MAX_SHEET_BYTES = 64 << 10

_CUE_FILE = re.compile(r'[ \t]*FILE[ \t]+(?:"([^"]+)"|(\S+))', re.IGNORECASE)
_GDI_TRACK = re.compile(r'[ \t]*\d+[ \t]+\d+[ \t]+\d+[ \t]+\d+[ \t]+(?:"([^"]+)"|(\S+))')
_SHEETS = (".ccd", ".cue", ".gdi", ".m3u", ".mds")
_TRACKS = (".bin", ".img", ".mdf", ".raw", ".sub")


def without_parts(paths: list[Path]) -> list[Path]:
    """Leave out the files that others of them stand for.

    A list of discs (.m3u) stands for its discs, a sheet (.cue, .gdi, .ccd, .mds) for its
    tracks; also for those which are only called like it.
    """
    parts: set[str] = set()
    for sheet in paths:
        suffix = sheet.suffix.lower()
        if suffix in _SHEETS:
            parts |= {os.path.normpath(sheet.parent / name) for name in _named_in(sheet)}
        if suffix in _SHEETS and suffix != ".m3u":
            parts |= {os.path.normpath(sheet.with_suffix(track)) for track in _TRACKS}
    # Lists that name each other, or themselves, must not make each other vanish.
    return [
        path
        for path in paths
        if path.suffix.lower() == ".m3u" or os.path.normpath(path) not in parts
    ]


def _named_in(sheet: Path) -> list[str]:
    try:
        text = os.fsdecode(read_start(sheet, MAX_SHEET_BYTES))
    except OSError:
        return []
    lines = text.replace("\0", "").replace("\\", "/").splitlines()
    match sheet.suffix.lower():
        case ".m3u":
            return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        case ".cue":
            return _matches(_CUE_FILE, lines)
        case ".gdi":
            return _matches(_GDI_TRACK, lines)
    return []


def _matches(pattern: re.Pattern[str], lines: list[str]) -> list[str]:
    found = (pattern.match(line) for line in lines)
    return [match[1] or match[2] for match in found if match]
