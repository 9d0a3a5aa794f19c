"""All games of all installations, as the library wants them."""

from collections.abc import Iterator

from punktfunk.plugin import Artwork, GameEntry, HostFacts, LaunchSpec, LaunchTarget
from punktfunk_store_steam.artwork import Pictures
from punktfunk_store_steam.manifests import library_apps
from punktfunk_store_steam.reading import Reading
from punktfunk_store_steam.roots import Packaging, Root, library_folders, steam_roots
from punktfunk_store_steam.shortcuts import user_folders, user_shortcuts


def list_games(host: HostFacts) -> list[GameEntry]:
    """List every game once; where it is installed, if it is anywhere."""
    reading = Reading()
    found: dict[str, GameEntry] = {}
    for root in steam_roots(host):
        for game in _games_of(root, reading):
            known = found.get(game.id)
            if known is None or (game.installed and not known.installed):
                found[game.id] = game
    reading.report()
    return list(found.values())


def _games_of(root: Root, reading: Reading) -> Iterator[GameEntry]:
    users = user_folders(root.folder, reading)
    pictures = Pictures(root.folder, users, reading)
    for library in library_folders(root, reading):
        for app in library_apps(library, reading):
            art = pictures.of_app(app.app_id)
            yield _entry(
                root.packaging, app.title, app.app_id, app.app_id, art, installed=app.installed
            )
    for user in users:
        for shortcut in user_shortcuts(user, reading):
            art = pictures.of_shortcut(shortcut.app_id)
            yield _entry(root.packaging, shortcut.title, shortcut.game_id, shortcut.app_id, art)


def _entry(
    packaging: Packaging,
    title: str,
    game_id: int,
    app_id: int,
    art: Artwork,
    *,
    installed: bool = True,
) -> GameEntry:
    return GameEntry(
        id=f"steam:{game_id}",
        title=title,
        art=art,
        target=LaunchTarget(kind="steam_appid", value=str(game_id)),
        launch=LaunchSpec(
            argv=(*packaging.command, f"steam://rungameid/{game_id}"),
            # Steam itself stays. It runs each game below a program of its own, as
            # `reaper SteamLaunch AppId=570 -- …`; for shortcuts this is the short number.
            process_sign=f"AppId={app_id}",
        ),
        installed=installed,
    )
