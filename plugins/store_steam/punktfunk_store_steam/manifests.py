"""What `appmanifest_*.acf` says of the apps in a library."""

import re
from collections.abc import Iterator
from pathlib import Path

import attrs

from punktfunk_store_steam.reading import Reading, is_file, size_bytes
from punktfunk_store_steam.titles import clean_title
from punktfunk_store_steam.vdf import VdfError, map_of, parse_text, text_of

MAX_MANIFEST_BYTES = 256 << 10

_FILE_NAME = re.compile(r"appmanifest_(.*)\.acf", re.DOTALL)
_APP_ID = re.compile(r"[1-9][0-9]{0,9}")
_FLAGS = re.compile(r"[0-9]{1,10}")

# StateFlags is a set of bits. What makes a game unfit to be started, though it is all there:
# uninstalled (1), files missing (32) or corrupt (128), an update that runs (256), is paused
# (512) or begun (1024), being uninstalled (2048), and the steps of an update from
# reconfiguring (1 << 16) to stopping (1 << 23). An update that merely waits (2) is none.
_FULLY_INSTALLED = 4
_BUSY = 1 | 32 | 128 | 256 | 512 | 1024 | 2048 | (0xFF << 16)

# Steamworks Common Redistributables, SteamVR, controller configurations, the first three
# Steam Linux Runtimes.
_TOOL_IDS = frozenset({228980, 250820, 241100, 1070560, 1391110, 1628350})
# Proton Bus Simulator is a game.
_TOOL_NAME = re.compile(
    r"Proton( \d.*| - .*| Experimental| Hotfix| Next| .* Runtime| Voice Files)?"
    r"|Steam Linux Runtime.*|Steamworks .*Redistributables.*|SteamVR",
    re.IGNORECASE,
)


@attrs.frozen(kw_only=True)
class SteamApp:
    app_id: int
    title: str
    installed: bool


def manifest_names(library: Path, reading: Reading) -> list[str]:
    """List the file names of a library's manifests."""
    names = reading.names(library / "steamapps")
    return [name for name in names if _FILE_NAME.fullmatch(name)]


def library_apps(library: Path, reading: Reading) -> Iterator[SteamApp]:
    """Yield the games of a library. What is no game, or cannot be read, is left out."""
    paths = [library / "steamapps" / name for name in manifest_names(library, reading)]
    for path in sorted(paths, key=size_bytes):  # so that long ones are read at their own cost
        data = reading.read(path, MAX_MANIFEST_BYTES)
        if data is None:
            continue
        try:
            app = _read_manifest(path, data)
        except VdfError as error:
            reading.leave_out(path, str(error))
            continue
        if app is not None:
            yield app


def app_id_of(text: str) -> int | None:
    """Read an app's number: a positive one of 32 bits, in plain digits."""
    number = int(text) if _APP_ID.fullmatch(text) else 0
    return number if 0 < number < 1 << 32 else None


def _read_manifest(path: Path, data: bytes) -> SteamApp | None:
    state = map_of(parse_text(data), "appstate")
    app_id = app_id_of(text_of(state, "appid"))
    if app_id is None:
        raise VdfError("no number of an app in it")
    if path.name != f"appmanifest_{app_id}.acf":
        raise VdfError(f"it is about the app {app_id}")
    folder = text_of(state, "installdir")
    # Old manifests name the app among the user's settings.
    names = (text_of(state, "name"), text_of(map_of(state, "userconfig"), "name"), folder)
    title = next((title for title in map(clean_title, names) if title), "")
    if not title:
        raise VdfError("no name in it")
    if app_id in _TOOL_IDS or _TOOL_NAME.fullmatch(title) or _is_tool(path.parent, folder):
        return None
    return SteamApp(
        app_id=app_id, title=title, installed=_is_installed(text_of(state, "stateflags"))
    )


def _is_installed(flags: str) -> bool:
    bits = int(flags) if _FLAGS.fullmatch(flags) else 0
    return bool(bits & _FULLY_INSTALLED) and not bits & _BUSY


def _is_tool(steamapps: Path, folder: str) -> bool:
    """Compatibility tools bring this file."""
    if not folder or "/" in folder or "\0" in folder or folder in (".", ".."):
        return False
    return is_file(steamapps / "common" / folder / "toolmanifest.vdf")
