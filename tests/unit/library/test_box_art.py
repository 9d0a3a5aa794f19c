"""Box art for Moonlight: always a PNG, never too large, made once."""

import asyncio
import os
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from punktfunk.library.box_art import HEIGHT_PX, WIDTH_PX
from punktfunk.library.box_art_cache import BoxArt
from punktfunk.model.games import Artwork


def size_of(png: bytes) -> tuple[int, int]:
    with Image.open(BytesIO(png), formats=["PNG"]) as image:
        image.load()
        return image.size


@pytest.fixture
def box_art(tmp_path: Path) -> BoxArt:
    return BoxArt(tmp_path / "cache")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_an_upright_picture_is_made_to_fit(box_art, write_picture, kind: str) -> None:
    path = write_picture("a", kind, (1_000, 1_500))

    png = await box_art.of("Game", "steam", Artwork(portrait=str(path)))

    assert size_of(png) == (WIDTH_PX, HEIGHT_PX)


async def test_a_small_picture_is_not_blown_up(box_art, write_picture) -> None:
    art = Artwork(portrait=str(write_picture("a", "PNG", (60, 90))))

    assert size_of(await box_art.of("Game", "steam", art)) == (60, 90)


@pytest.mark.parametrize(
    "title",
    ["Desktop", "A" * 500, "x " * 250, "黒い砂漠", "אבג", "🎮", "\ufffd", "a-very-" * 40],
)
async def test_a_game_without_a_file_gets_a_card_with_its_title(box_art, title: str) -> None:
    art = Artwork(portrait="https://example.org/cover.png")

    assert size_of(await box_art.of(title, "steam", art)) == (WIDTH_PX, HEIGHT_PX)


async def test_titles_and_banners_make_different_cards(box_art, write_picture) -> None:
    banner = Artwork(header=str(write_picture("b", "JPEG", (460, 215))))

    cards = {
        await box_art.of("One", "steam", Artwork()),
        await box_art.of("Two", "steam", Artwork()),
        await box_art.of("One", "steam", banner),
    }

    assert len(cards) == 3
    assert {size_of(card) for card in cards} == {(WIDTH_PX, HEIGHT_PX)}


async def test_threat_20_a_broken_or_lying_picture_becomes_a_card(
    box_art, write_picture, tmp_path
) -> None:
    whole = write_picture("whole.png", "PNG", (600, 900)).read_bytes()
    cut, lying = tmp_path / "cut.png", tmp_path / "lying.png"
    cut.write_bytes(whole[: len(whole) // 2])
    lying.write_bytes(whole[:16] + (10).to_bytes(4, "big") + whole[20:])

    card = await box_art.of("Game", "steam", Artwork())

    for path in (cut, lying):
        assert await box_art.of("Game", "steam", Artwork(portrait=str(path))) == card


async def test_art_is_made_once_and_again_when_the_file_changes(
    box_art, write_picture, tmp_path
) -> None:
    art = Artwork(portrait=str(write_picture("a.png")))

    first = await box_art.of("Game", "steam", art)
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_bytes(b"kept")
    again = await box_art.of("Game", "steam", art)
    write_picture("a.png", "PNG", (30, 45))
    changed = await box_art.of("Game", "steam", art)

    assert again == b"kept"
    assert size_of(first) == (60, 90)
    assert size_of(changed) == (30, 45)


async def test_the_cache_stays_small_and_keeps_what_was_used_last(tmp_path) -> None:
    box_art = BoxArt(tmp_path / "cache", max_bytes=60_000)
    for number in range(30):
        await box_art.of(f"Game {number}", "steam", Artwork())
        for age, path in enumerate(sorted((tmp_path / "cache").iterdir(), key=os.path.getmtime)):
            os.utime(path, ns=(age, age))

    sizes = [path.stat().st_size for path in (tmp_path / "cache").iterdir()]

    assert 2 <= len(sizes) < 30
    assert sum(sizes) <= 60_000


async def test_without_a_cache_pictures_are_made_all_the_same(tmp_path) -> None:
    (tmp_path / "file").touch()
    box_art = BoxArt(tmp_path / "file" / "cache")

    assert size_of(await box_art.of("Game", "steam", Artwork())) == (WIDTH_PX, HEIGHT_PX)


async def test_a_hundred_clients_at_once_get_the_same_picture(box_art) -> None:
    found = await asyncio.gather(*(box_art.of("Game", "steam", Artwork()) for _ in range(100)))

    assert len(set(found)) == 1
