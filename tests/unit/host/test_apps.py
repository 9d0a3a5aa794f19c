"""The app list that clients see, with the games of the library in it."""

from pathlib import Path

import pytest

from punktfunk.config.settings import Settings
from punktfunk.host.apps import Apps
from punktfunk.library import CustomGames, CustomInput, HiddenGames, Library
from punktfunk.library.app_numbers import AppNumbers
from punktfunk.library.box_art_cache import BoxArt
from punktfunk.model.apps import LaunchSpec
from punktfunk.model.games import LaunchTarget
from punktfunk.model.offers import HostFacts

COMMAND = LaunchTarget(kind="command", value="run it")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(HostFacts(), CustomGames(tmp_path), HiddenGames(tmp_path))


@pytest.fixture
def apps(tmp_path: Path, library: Library) -> Apps:
    return Apps(Settings(), library, AppNumbers(tmp_path), BoxArt(tmp_path / "cache"))


def titles(apps: Apps) -> list[str]:
    return [app.title for app in apps.all()]


def test_games_that_can_be_launched_follow_the_built_in_apps(library, apps) -> None:
    library.create(CustomInput(title="Zoo", launch=COMMAND))
    library.create(CustomInput(title="Apple", launch=COMMAND))
    library.create(CustomInput(title="Only a picture"))

    assert titles(apps) == ["Desktop", "Test pattern", "Apple", "Zoo"]


def test_a_hidden_game_is_not_listed_and_keeps_its_number(library, apps) -> None:
    mine = library.create(CustomInput(title="Mine", launch=COMMAND))
    number = apps.all()[-1].moonlight_id

    library.hide(f"custom:{mine.id}")
    assert titles(apps) == ["Desktop", "Test pattern"]
    assert apps.find(number) is None

    library.unhide(f"custom:{mine.id}")
    assert apps.find(number).title == "Mine"


def test_the_list_is_as_new_as_the_library(library, apps) -> None:
    mine = library.create(CustomInput(title="Mine", launch=COMMAND))
    number = apps.all()[-1].moonlight_id

    library.update(mine.id, CustomInput(title="Renamed", launch=COMMAND))
    assert apps.find(number).title == "Renamed"
    library.delete(mine.id)
    assert apps.find(number) is None
    assert titles(apps) == ["Desktop", "Test pattern"]


def test_an_app_is_launched_as_its_game_says(library, apps) -> None:
    mine = library.create(CustomInput(title="Mine", launch=COMMAND))

    app = apps.all()[-1]

    assert app.library_id == f"custom:{mine.id}"
    assert app.launch == LaunchSpec(argv=("sh", "-c", "run it"))
    assert not app.desktop_like


def test_numbers_are_the_same_after_a_restart(tmp_path, library, apps) -> None:
    library.create(CustomInput(title="Mine", launch=COMMAND))
    before = {app.library_id: app.moonlight_id for app in apps.all()}

    again = Library(HostFacts(), CustomGames(tmp_path), HiddenGames(tmp_path))
    after = Apps(Settings(), again, AppNumbers(tmp_path), BoxArt(tmp_path / "cache"))

    assert {app.library_id: app.moonlight_id for app in after.all()} == before


async def test_every_app_has_a_picture_and_a_stranger_has_none(library, apps) -> None:
    library.create(CustomInput(title="Mine", launch=COMMAND))

    pictures = [await apps.picture(app.moonlight_id) for app in apps.all()]

    assert len(set(pictures)) == 3
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert await apps.picture(1) is None
