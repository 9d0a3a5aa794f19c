"""Which games are listed, and how they start."""

import attrs
import pytest
from punktfunk_store_heroic import library_games

from punktfunk.plugin import HostFacts


def test_an_epic_game_has_its_title_its_pictures_and_a_launch(heroic, listed) -> None:
    heroic.epic({"app_name": "Quail", "title": "Quail (Windows)"})
    heroic.library(
        "legendary",
        {
            "app_name": "Quail",
            "title": "Lantern Bay",
            "art_cover": "https://cdn1.epicgames.com/quail/wide.jpg",
            "art_square": "https://cdn1.epicgames.com/quail/tall.jpg",
            "art_logo": "https://cdn1.epicgames.com/quail/logo.png",
        },
    )

    game = listed()["legendary:Quail"]

    assert game.title == "Lantern Bay"
    assert game.art.portrait == "https://cdn1.epicgames.com/quail/tall.jpg"
    assert game.art.hero == game.art.header == "https://cdn1.epicgames.com/quail/wide.jpg"
    assert game.art.logo == "https://cdn1.epicgames.com/quail/logo.png"
    assert game.launch.argv == ("heroic", "--no-gui", "heroic://launch/legendary/Quail")
    assert (game.target.kind, game.target.value) == ("heroic", "legendary:Quail")
    assert game.launch.process_sign == ""


def test_gog_amazon_and_sideloaded_games_are_listed_by_their_own_runners(heroic, listed) -> None:
    heroic.gog({"appName": "1207658930"})
    heroic.library("gog", {"app_name": "1207658930", "title": "Ash and Ember"})
    heroic.amazon({"id": "amzn1.adg.product.0a1b"})
    heroic.library("nile", {"app_name": "amzn1.adg.product.0a1b", "title": "Reef"})
    heroic.sideloaded({"app_name": "bPx7", "title": "My own"})

    addresses = {key: game.launch.argv[-1] for key, game in listed().items()}

    assert addresses == {
        "gog:1207658930": "heroic://launch/gog/1207658930",
        "nile:amzn1.adg.product.0a1b": "heroic://launch/nile/amzn1.adg.product.0a1b",
        "sideload:bPx7": "heroic://launch/sideload/bPx7",
    }
    assert [game.title for game in listed().values()] == ["Ash and Ember", "Reef", "My own"]


def test_what_is_only_owned_added_on_or_hidden_is_left_out(heroic, listed) -> None:
    heroic.epic(
        {"app_name": "Quail"},
        {"app_name": "QuailDlc", "is_dlc": True},
        {"app_name": "Sold"},
        {"app_name": "Secret"},
    )
    heroic.library(
        "legendary",
        {"app_name": "Quail", "title": "Lantern Bay"},
        {"app_name": "Owned", "title": "Never installed"},
        {"app_name": "Sold", "title": "A season pass", "install": {"is_dlc": True}},
        {"app_name": "Secret", "title": "Secret"},
    )
    heroic.sideloaded({"app_name": "gone", "title": "Gone", "is_installed": False})
    heroic.hide("Secret")

    assert list(listed()) == ["legendary:Quail"]


def test_the_redistributables_of_gog_are_no_game(heroic, listed) -> None:
    heroic.gog({"appName": "gog-redist"}, {"appName": "1"})
    redist = {"app_name": "gog-redist", "title": "Galaxy Common", "install": {"is_dlc": True}}
    heroic.library("gog", redist)

    assert list(listed()) == ["gog:1"]


def test_without_the_catalogue_a_game_is_named_after_what_there_is(heroic, listed) -> None:
    heroic.epic({"app_name": "Quail", "title": "Lantern Bay"})
    heroic.gog({"appName": "1207658930", "install_path": "/games/Ash and Ember"})
    heroic.amazon({"id": "amzn1", "path": ""})

    titles = {key: game.title for key, game in listed().items()}

    assert titles == {
        "legendary:Quail": "Lantern Bay",
        "gog:1207658930": "Ash and Ember",
        "nile:amzn1": "amzn1",
    }


def test_a_flatpak_is_started_as_one_and_comes_after_the_native_one(
    heroic, flatpak, listed
) -> None:
    heroic.gog({"appName": "1"})
    flatpak.gog({"appName": "1"}, {"appName": "2"})

    starts = {key: game.launch.argv for key, game in listed().items()}

    assert starts == {
        "gog:1": ("heroic", "--no-gui", "heroic://launch/gog/1"),
        "gog:2": (
            *("flatpak", "run", "com.heroicgameslauncher.hgl"),
            *("--no-gui", "heroic://launch/gog/2"),
        ),
    }


def test_an_appimage_is_started_by_the_command_a_person_set(heroic, host: HostFacts) -> None:
    heroic.gog({"appName": "1"})
    settings = {"heroic": {"command": ["/opt/Heroic.AppImage", "--no-sandbox"]}}

    (game,) = library_games(attrs.evolve(host, settings=settings))

    assert game.launch.argv[:3] == ("/opt/Heroic.AppImage", "--no-sandbox", "--no-gui")


def test_files_are_found_where_older_versions_kept_them(heroic, listed) -> None:
    heroic.epic({"app_name": "Quail"})
    heroic.write("lib-cache/library.json", {"library": [{"app_name": "Quail", "title": "Old"}]})
    heroic.gog({"appName": "1"})
    heroic.write("gog_store/library.json", {"games": [{"app_name": "1", "title": "Older"}]})

    assert [game.title for game in listed().values()] == ["Old", "Older"]


@pytest.mark.parametrize("base", ["native", "flatpak"])
def test_files_are_found_where_new_versions_move_them(
    heroic, flatpak, home, listed, base: str
) -> None:
    in_flatpak = home / ".var/app/com.heroicgameslauncher.hgl"
    state, data, cache = (
        (home / ".local/state", home / ".local/share", home / ".cache")
        if base == "native"
        else (in_flatpak / ".local/state", in_flatpak / "data", in_flatpak / "cache")
    )
    (heroic if base == "native" else flatpak).write("config.json", {"version": "v0"})
    installation = type(heroic)
    installation(state / "Heroic").gog({"appName": "1"})
    installation(data / "heroic").epic({"app_name": "Quail"})
    installation(cache / "heroic").library("gog", {"app_name": "1", "title": "Ash"})

    assert {key: game.title for key, game in listed().items()} == {
        "legendary:Quail": "Quail",
        "gog:1": "Ash",
    }


def test_the_xdg_variables_are_followed(heroic, home, host: HostFacts) -> None:
    type(heroic)(home / "elsewhere/heroic").gog({"appName": "1"})
    environment = {**host.environment, "XDG_CONFIG_HOME": str(home / "elsewhere")}

    games = library_games(attrs.evolve(host, environment=environment))

    assert [game.id for game in games] == ["heroic:gog:1"]
