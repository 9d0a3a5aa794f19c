"""Programs with a menu entry as a store, Flatpaks included."""

from pathlib import Path

from punktfunk.plugin import (
    API_VERSION,
    Availability,
    GameEntry,
    HostFacts,
    Manifest,
    Setting,
    hookimpl,
)
from punktfunk_store_desktop.settings import SETTINGS, DesktopSettings

NAME = "desktop"

manifest = Manifest(
    api=API_VERSION,
    title="Desktop entries",
    settings=tuple(
        Setting(name=name, type=type(default), default=default, doc=doc)
        for name, default, doc in SETTINGS
    ),
)


@hookimpl
def plugin_status(host: HostFacts) -> Availability:
    from punktfunk_store_desktop.folders import status

    return status(host)


@hookimpl
def library_games(host: HostFacts) -> list[GameEntry]:
    from punktfunk_store_desktop.listing import list_games

    return list_games(host, DesktopSettings.read(host.settings.get(NAME, {})))


@hookimpl
def library_paths(host: HostFacts) -> list[Path]:
    from punktfunk_store_desktop.folders import watched

    return watched(host)
