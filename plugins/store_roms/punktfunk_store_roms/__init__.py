"""ROMs as a store. Light to import: what looks through folders loads when it is asked."""

from pathlib import Path

from punktfunk.plugin import Availability, GameEntry, HostFacts, Manifest, Setting, hookimpl

manifest = Manifest(
    api=1,
    title="ROMs",
    settings=(
        Setting(
            name="folders",
            type=list,
            default=[],
            doc='Where games are: "snes=/games/snes", or a folder with folders like "snes" in it.',
        ),
        Setting(
            name="emulators",
            type=list,
            default=[],
            doc='What starts them, where it is not to be found by itself: "snes=snes9x {rom}".',
        ),
    ),
)


@hookimpl
def plugin_status(host: HostFacts) -> Availability:
    from punktfunk_store_roms.status import status

    return status(host)


@hookimpl
def library_games(host: HostFacts) -> list[GameEntry]:
    from punktfunk_store_roms.games import list_games

    return list_games(host)


@hookimpl
def library_paths(host: HostFacts) -> list[Path]:
    from punktfunk_store_roms.watched import watched_paths

    return watched_paths(host)
