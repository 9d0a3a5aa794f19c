"""Pictures: the user's own, then Steam's cache, then Steam's servers."""

from pathlib import Path

import attrs
import pytest
from punktfunk_store_steam.games import list_games

from punktfunk.plugin import Artwork, HostFacts

SERVERS = "https://cdn.cloudflare.steamstatic.com/steam/apps/570"


def art_of(host: HostFacts) -> Artwork:
    (game,) = list_games(host)
    return game.art


def put(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\xff\xd8\xff")
    return str(path)


def test_without_local_pictures_they_are_on_steams_servers(host: HostFacts, steam) -> None:
    steam.app(570, "Dota 2")

    assert art_of(host) == Artwork(
        portrait=f"{SERVERS}/library_600x900.jpg",
        hero=f"{SERVERS}/library_hero.jpg",
        logo=f"{SERVERS}/logo.png",
        header=f"{SERVERS}/header.jpg",
    )


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("portrait", "570_library_600x900.jpg"),
        ("hero", "570_library_hero.jpg"),
        ("logo", "570_logo.png"),
        ("header", "570_header.jpg"),
        ("portrait", "570/library_600x900.jpg"),
        ("portrait", "570/5925343a8312ea07f234d48170963aafae4158bf/library_600x900.jpg"),
        ("portrait", "570/5925343a8312ea07f234d48170963aafae4158bf/library_capsule.jpg"),
        ("hero", "570/ac2f074d790656a06ef8305bd54a6f64e9a70082/library_hero.jpg"),
        ("logo", "570/b91f57c06260776c04648d061aba6e8de494ef59/logo.png"),
        ("header", "570/ebea7de6e6ce132f4c24b698f70f1d87e0b979e1/library_header.jpg"),
    ],
)
def test_steams_cache_is_preferred_in_each_of_its_layouts(host, steam, field, name) -> None:
    steam.app(570, "Dota 2")
    path = put(steam.cache / name)

    assert getattr(art_of(host), field) == path


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("portrait", "570p.png"),
        ("portrait", "570p.jpg"),
        ("hero", "570_hero.png"),
        ("logo", "570_logo.png"),
        ("header", "570.png"),
    ],
)
def test_what_the_user_chose_is_preferred_to_the_cache(host, steam, field, name) -> None:
    steam.app(570, "Dota 2")
    put(steam.cache / "570_library_600x900.jpg")
    path = put(steam.grid / name)

    assert getattr(art_of(host), field) == path


@pytest.mark.parametrize("name", ["grid/570p.png", "cache/570_library_600x900.jpg"])
def test_a_file_that_is_no_picture_hides_no_other(host: HostFacts, steam, name: str) -> None:
    steam.app(570, "Dota 2")
    folder, _, file = name.partition("/")
    (getattr(steam, folder) / file).write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")

    assert art_of(host).portrait == f"{SERVERS}/library_600x900.jpg"

    path = put(steam.cache / "570" / "library_600x900.jpg")
    assert art_of(host).portrait == path


@pytest.mark.parametrize("head", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe1", b"RIFF\0\0\0\0WEBP"])
def test_pictures_are_known_by_their_first_bytes(host: HostFacts, steam, head: bytes) -> None:
    steam.app(570, "Dota 2")
    (steam.grid / "570p.png").write_bytes(head)

    assert art_of(host).portrait == str(steam.grid / "570p.png")


def test_a_shortcut_has_the_pictures_that_were_chosen_and_no_others(host, steam) -> None:
    steam.shortcuts({"appid": 3501819989, "AppName": "Foxit"})
    path = put(steam.grid / "3501819989p.png")

    assert art_of(host) == Artwork(portrait=path)


def test_what_is_no_file_is_no_picture(host: HostFacts, steam) -> None:
    steam.app(570, "Dota 2")
    (steam.grid / "570p.png").mkdir()
    (steam.cache / "570_logo.png").symlink_to("570_logo.png")
    (steam.cache / "570").write_text("no folder")

    assert all(picture.startswith(SERVERS) for picture in attrs.astuple(art_of(host)))
