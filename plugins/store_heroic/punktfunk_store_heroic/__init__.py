"""Heroic as a store: games of Epic, GOG and Amazon, and what a person added by hand."""

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

NAME = "heroic"
DEFAULT_COMMAND = ("heroic",)

manifest = Manifest(
    api=API_VERSION,
    title="Heroic",
    homepage="https://heroicgameslauncher.com",
    settings=(
        Setting(
            name="command",
            type=list,
            default=list(DEFAULT_COMMAND),
            doc="Argv that starts a Heroic which is no Flatpak, such as an AppImage's path.",
        ),
    ),
)


@hookimpl
def plugin_status(host: HostFacts) -> Availability:
    from punktfunk_store_heroic.roots import status

    return status(host, _command(host))


@hookimpl
def library_games(host: HostFacts) -> list[GameEntry]:
    from punktfunk_store_heroic.listing import list_games
    from punktfunk_store_heroic.roots import heroic_roots

    return list_games(heroic_roots(host), _command(host))


@hookimpl
def library_paths(host: HostFacts) -> list[Path]:
    from punktfunk_store_heroic.roots import all_roots
    from punktfunk_store_heroic.stores import WATCHED

    return sorted({path for root in all_roots(host) for path in root.watched(WATCHED)})


def _command(host: HostFacts) -> tuple[str, ...]:
    words = host.settings.get(NAME, {}).get("command")
    given = tuple(str(word) for word in words) if isinstance(words, list | tuple) else ()
    return given or DEFAULT_COMMAND
