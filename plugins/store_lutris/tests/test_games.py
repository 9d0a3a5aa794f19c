"""Which games are listed, and how they start."""

import attrs
from punktfunk_store_lutris import library_games

from punktfunk.plugin import HostFacts


def test_a_game_is_started_by_its_number(lutris, listed) -> None:
    lutris.add("lantern-bay", name="Lantern Bay", id=17)

    game = listed()["lantern-bay"]

    assert game.title == "Lantern Bay"
    assert game.launch.argv == ("lutris", "lutris:rungameid/17")
    assert game.launch.environment == {"LUTRIS_SKIP_INIT": "1"}
    assert (game.target.kind, game.target.value) == ("lutris_id", "17")


def test_what_is_not_installed_is_left_out(lutris, listed) -> None:
    lutris.add("here")
    lutris.add("gone", installed=0)
    lutris.add("never", installed=None)

    assert list(listed()) == ["here"]


def test_hidden_games_are_left_out(lutris, listed) -> None:
    lutris.add("shown", categories=(1, 3))
    lutris.add("secret", categories=(2, 3))

    assert list(listed()) == ["shown"]


def test_games_that_an_older_lutris_hid_are_left_out(lutris, listed) -> None:
    lutris.run(
        "CREATE TABLE games (id INTEGER PRIMARY KEY, name TEXT, slug TEXT, runner TEXT,"
        " installed INTEGER, hidden INTEGER)",
        "INSERT INTO games VALUES (1, 'A', 'a', 'wine', 1, 1), (2, 'B', 'b', 'wine', 1, 0),"
        " (3, 'C', 'c', 'wine', 1, NULL)",
    )

    assert list(listed()) == ["b", "c"]


def test_games_of_steam_are_listed_when_asked_for(lutris, host: HostFacts) -> None:
    lutris.add("half-life", runner="steam")
    asked = attrs.evolve(host, settings={"lutris": {"steam_games": True}})

    assert library_games(host) == []
    assert [game.id for game in library_games(asked)] == ["lutris:half-life"]


def test_a_game_that_comes_back_has_its_old_id(lutris, listed) -> None:
    lutris.add("lantern-bay")
    before = listed()
    lutris.run("DELETE FROM games")
    lutris.add("reef")
    lutris.add("lantern-bay")

    assert set(before) < set(listed())


def test_a_second_installation_does_not_take_the_firsts_id(lutris, listed) -> None:
    lutris.add("lantern-bay", name="First", id=3)
    lutris.add("lantern-bay", name="Second", id=8)

    assert {key: (game.title, game.target.value) for key, game in listed().items()} == {
        "lantern-bay": ("First", "3"),
        "lantern-bay:8": ("Second", "8"),
    }


def test_a_flatpak_is_started_as_one(lutris, flatpak, listed) -> None:
    lutris.add("here")
    flatpak.add("there", id=5)
    flatpak.add("here")

    assert {key: game.launch.argv[:-1] for key, game in listed().items()} == {
        "here": ("lutris",),
        "there": ("flatpak", "run", "net.lutris.Lutris"),
    }


def test_the_command_a_person_set_is_used(lutris, host: HostFacts) -> None:
    lutris.add("a", id=1)
    settings = {"lutris": {"command": ["/opt/lutris/bin/lutris", "-d"]}}

    (game,) = library_games(attrs.evolve(host, settings=settings))

    assert game.launch.argv == ("/opt/lutris/bin/lutris", "-d", "lutris:rungameid/1")


def test_pictures_come_from_the_cache_or_from_the_older_folder(lutris, listed) -> None:
    lutris.add("new")
    lutris.add("old")
    lutris.add("none")
    cover = lutris.picture(lutris.cache, "coverart/new.jpg")
    lutris.picture(lutris.data, "coverart/new.jpg")
    old_cover = lutris.picture(lutris.data, "coverart/old.png")
    banner = lutris.picture(lutris.data, "banners/old.jpg")
    lutris.picture(lutris.cache, "coverart/none.jpg", b"")

    art = {key: game.art for key, game in listed().items()}

    assert art["new"].portrait == str(cover)
    assert (art["old"].portrait, art["old"].header) == (str(old_cover), str(banner))
    assert art["none"].portrait is None
