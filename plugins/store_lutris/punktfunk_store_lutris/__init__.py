"""Lutris as a store."""

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

NAME = "lutris"
DEFAULT_COMMAND = ("lutris",)

manifest = Manifest(
    api=API_VERSION,
    title="Lutris",
    homepage="https://lutris.net",
    settings=(
        Setting(
            name="command",
            type=list,
            default=list(DEFAULT_COMMAND),
            doc="Argv that starts a Lutris which is no Flatpak.",
        ),
        Setting(
            name="steam_games",
            type=bool,
            default=False,
            doc="Also list the games that Lutris starts by Steam; the steam plugin has them.",
        ),
    ),
)


@hookimpl
def plugin_status(host: HostFacts) -> Availability:
    from punktfunk_store_lutris.roots import status

    return status(host, _command(host))


@hookimpl
def library_games(host: HostFacts) -> list[GameEntry]:
    from punktfunk_store_lutris.listing import list_games
    from punktfunk_store_lutris.roots import lutris_roots

    steam_games = host.settings.get(NAME, {}).get("steam_games") is True
    return list_games(lutris_roots(host), _command(host), steam_games=steam_games)


@hookimpl
def library_paths(host: HostFacts) -> list[Path]:
    from punktfunk_store_lutris.roots import all_roots

    return sorted({path for root in all_roots(host) for path in root.watched()})


def _command(host: HostFacts) -> tuple[str, ...]:
    words = host.settings.get(NAME, {}).get("command")
    given = tuple(str(word) for word in words) if isinstance(words, list | tuple) else ()
    return given or DEFAULT_COMMAND
