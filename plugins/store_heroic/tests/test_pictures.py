"""Which pictures a game has."""

import pytest

COVER = "https://cdn1.epicgames.com/quail/tall.jpg"


@pytest.fixture
def portrait(heroic, listed):
    """Give the game a cover, and say what became of it."""

    def of(address: object) -> str | None:
        heroic.sideloaded({"app_name": "a", "title": "A", "art_square": address})
        return listed()["sideload:a"].art.portrait

    return of


def test_heroics_own_copy_is_taken_where_it_has_one(heroic, portrait) -> None:
    copy = heroic.cache_picture(COVER)

    assert portrait(COVER) == str(copy)


def test_the_copy_of_a_scaled_cover_is_found(heroic, portrait) -> None:
    copy = heroic.cache_picture(f"{COVER}?h=400&resize=1&w=300", b"\xff\xd8\xff\xe0" + bytes(40))

    assert portrait(COVER) == str(copy)


@pytest.mark.parametrize("data", [b"", b"<html>not found</html>", b"\x89PN"])
def test_a_copy_that_is_no_picture_is_passed_over(heroic, portrait, data: bytes) -> None:
    heroic.cache_picture(COVER, data)

    assert portrait(COVER) == COVER


def test_a_picture_of_ones_own_is_a_file(home, portrait) -> None:
    picture = home / "my cover.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")

    assert portrait(f"file://{home}/my%20cover.png") == str(picture)


@pytest.mark.parametrize(
    "address",
    [
        "fallback",
        "",
        None,
        7,
        "http://cdn1.epicgames.com/quail/tall.jpg",
        "file:///etc/passwd",
        "file://relative.png",
        "file:///nul%00.png",
        "javascript:alert(1)",
        "https://example.org/a b.png",
        "https://example.org/ä.png",
        "https://example.org/" + "a" * 5_000,
        "https://example.org/\r\nSet-Cookie: a",
    ],
)
def test_anything_else_is_no_picture(portrait, address: object) -> None:
    assert portrait(address) is None
