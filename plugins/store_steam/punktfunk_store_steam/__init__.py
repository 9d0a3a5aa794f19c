"""Steam as a store. Light to import: what reads Steam's files loads when it is asked."""

from pathlib import Path

from punktfunk.plugin import Availability, GameEntry, HostFacts, Manifest, hookimpl

manifest = Manifest(api=1, title="Steam")


@hookimpl
def plugin_status(host: HostFacts) -> Availability:
    from punktfunk_store_steam.status import status

    return status(host)


@hookimpl
def library_games(host: HostFacts) -> list[GameEntry]:
    from punktfunk_store_steam.games import list_games

    return list_games(host)


@hookimpl
def library_paths(host: HostFacts) -> list[Path]:
    from punktfunk_store_steam.watched import watched_paths

    return watched_paths(host)
