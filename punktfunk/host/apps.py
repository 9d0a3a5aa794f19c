"""The app list: what comes with every host, and the games of the library."""

from collections.abc import Sequence

import attrs

from punktfunk.config.settings import Settings
from punktfunk.library import Library
from punktfunk.library.app_numbers import AppNumbers
from punktfunk.library.box_art_cache import BoxArt
from punktfunk.model.apps import App, LaunchSpec
from punktfunk.model.games import Artwork, GameEntry

DESKTOP_ID = "builtin:desktop"
TEST_PATTERN_ID = "builtin:test-pattern"

_TEST_PATTERN_WISHES = {
    "compositor": "null",
    "capture": "testcard",
    "audio": "tone",
    "input": "memory",
    "gamepad": "memory",
}


class Apps:
    """What clients see: the built-in apps, then the games that can be launched, by title."""

    def __init__(
        self, settings: Settings, library: Library, numbers: AppNumbers, box_art: BoxArt
    ) -> None:
        self._library = library
        self._numbers = numbers
        self._box_art = box_art
        self._listed_for: tuple[GameEntry, ...] | None = None
        self._apps: dict[int, App] = {}
        self.use(settings)

    def use(self, settings: Settings) -> None:
        """From now on offer what these settings say."""
        self._builtin = app_list(settings)
        self._listed_for = None

    def all(self) -> Sequence[App]:
        """In order."""
        return tuple(self._by_number().values())

    def find(self, moonlight_id: int) -> App | None:
        return self._by_number().get(moonlight_id)

    async def picture(self, moonlight_id: int) -> bytes | None:
        """Box art as PNG; None for an app that is not there."""
        app = self.find(moonlight_id)
        if app is None:
            return None
        game = self._library.find(app.library_id)
        art = game.art if game else Artwork()
        return await self._box_art.of(app.title, game.store if game else "punktfunk", art)

    def _by_number(self) -> dict[int, App]:
        games = self._library.games()
        if self._listed_for is not games:
            apps = [*self._builtin, *(_as_app(it) for it in games if self._is_offered(it))]
            numbers = self._numbers.of([app.library_id for app in apps])
            numbered = [attrs.evolve(app, number=numbers[app.library_id]) for app in apps]
            self._apps = {app.moonlight_id: app for app in numbered}
            self._listed_for = games
        return self._apps

    def _is_offered(self, game: GameEntry) -> bool:
        can_be_launched = game.installed and game.launch is not None
        return can_be_launched and not self._library.is_hidden(game.id)


def app_list(settings: Settings) -> Sequence[App]:
    """The apps that come with every host, in order."""
    apps = []
    if settings.desktop.enabled:
        apps.append(
            App(
                library_id=DESKTOP_ID,
                title="Desktop",
                launch=LaunchSpec(argv=settings.desktop.command),
                desktop_like=True,
            )
        )
    if settings.test_pattern.enabled:
        apps.append(
            App(library_id=TEST_PATTERN_ID, title="Test pattern", wishes=_TEST_PATTERN_WISHES)
        )
    return apps


def _as_app(game: GameEntry) -> App:
    return App(library_id=game.id, title=game.title, launch=game.launch or LaunchSpec())
