"""Pictures that a person gave the host: never kept as they came."""

import os
import stat
import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from punktfunk.errors import Refused
from punktfunk.library import CustomGames, CustomInput
from punktfunk.library.custom_art import ART_FOLDER, KINDS, MOST_PX, CustomArt, redrawn
from punktfunk.library.pictures import MAX_FILE_BYTES
from punktfunk.model.games import Artwork


def picture(
    kind: str = "PNG", size: tuple[int, int] = (60, 90), mode: str = "RGB", **more
) -> bytes:
    file = BytesIO()
    Image.effect_noise(size, 40).convert(mode).save(file, kind, **more)
    return file.getvalue()


def png(width: int, height: int) -> bytes:
    """A file that promises so many pixels, and has next to none."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(1_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + data + chunk(b"IEND", b"")


SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


@pytest.fixture
def art(tmp_path: Path) -> CustomArt:
    return CustomArt(tmp_path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("of", KINDS)
def test_a_picture_is_made_small_and_written_anew(kind: str, of: str) -> None:
    made = redrawn(picture(kind, (1_200, 1_800)), of)

    with Image.open(BytesIO(made)) as image:
        assert image.format == "WEBP"
        assert image.width <= MOST_PX[of][0]
        assert image.height <= MOST_PX[of][1]


def test_nothing_of_what_came_is_kept_but_the_picture() -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET place"
    exif[0x0112] = 6  # lies on its side
    came = picture("JPEG", (90, 60), exif=exif, comment=b"SECRET words") + b"SECRET tail"

    made = redrawn(came, "portrait")

    assert b"SECRET" not in made
    with Image.open(BytesIO(made)) as image:
        assert image.size == (60, 90)
        assert not image.getexif()


def test_what_is_transparent_stays_so() -> None:
    file = BytesIO()
    Image.new("RGBA", (40, 40), (255, 0, 0, 0)).save(file, "PNG")

    with Image.open(BytesIO(redrawn(file.getvalue(), "logo"))) as image:
        assert image.mode == "RGBA"
        assert image.getpixel((20, 20))[3] == 0


REFUSED = {
    "a bomb": (png(60_000, 60_000), "60000 x 60000 pixels"),
    "wide": (png(100_000, 1), "100000 x 1 pixels"),
    "no pixels": (png(0, 0), "damaged"),
    "too short": (png(600, 900), "damaged"),
    "cut off": (picture()[:200], "damaged"),
    "only a head": (b"\x89PNG\r\n\x1a\n", "damaged"),
    "a script": (SVG, "no PNG, JPEG or WebP"),
    "a page": (b"<html><script>alert(1)</script>", "no PNG, JPEG or WebP"),
    "a GIF": (picture("GIF", mode="L"), "no PNG, JPEG or WebP"),
    "nothing": (b"", "no PNG, JPEG or WebP"),
    "far too long": (picture() + bytes(MAX_FILE_BYTES), "8 MiB"),
}


@pytest.mark.parametrize(("data", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_threat_20_what_is_no_picture_is_refused_in_words(data: bytes, says: str) -> None:
    with pytest.raises(Refused, match=says) as refused:
        redrawn(data, "portrait")

    assert refused.value.fields["status"] == 400


def test_pictures_are_there_after_a_restart_and_private(art: CustomArt, tmp_path: Path) -> None:
    art.put("abc", "portrait", b"one")
    art.put("abc", "logo", b"two")

    found = CustomArt(tmp_path).of("abc")

    assert {kind: Path(path).read_bytes() for kind, path in found.items()} == {
        "portrait": b"one",
        "logo": b"two",
    }
    for path in found.values():
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / ART_FOLDER).stat().st_mode) == 0o700


def test_another_picture_has_another_name_and_the_old_one_goes(art: CustomArt) -> None:
    art.put("abc", "portrait", b"one")
    first = Path(art.of("abc")["portrait"])
    art.put("abc", "portrait", b"one")
    assert first.exists()

    art.put("abc", "portrait", b"two")

    assert not first.exists()
    assert Path(art.of("abc")["portrait"]).read_bytes() == b"two"


def test_of_what_a_crash_has_left_the_newest_counts(art: CustomArt, tmp_path: Path) -> None:
    art.put("abc", "portrait", b"one")
    first = Path(art.of("abc")["portrait"])
    art.put("abc", "portrait", b"two")
    first.write_bytes(b"one")
    os.utime(first, (1, 1))
    (tmp_path / ART_FOLDER / ".x.tmp").write_bytes(b"half")

    assert Path(CustomArt(tmp_path).of("abc")["portrait"]).read_bytes() == b"two"


def test_pictures_go_with_their_entry(tmp_path: Path) -> None:
    games = CustomGames(tmp_path)
    made = games.create(CustomInput(title="Mine", art=Artwork(portrait="https://a.example/1")))
    other = games.create(CustomInput(title="Other"))
    for entry in (made, other):
        assert games.put_picture(entry.id, "portrait", b"one")
    (shown, _other) = games.with_pictures()
    assert shown.art.portrait.startswith(str(tmp_path))

    games.delete(made.id)

    assert [path.name.split(".")[0] for path in (tmp_path / ART_FOLDER).iterdir()] == [other.id]
    assert not games.put_picture(made.id, "portrait", b"one")


def test_without_its_picture_an_entry_has_its_address_again(tmp_path: Path) -> None:
    games = CustomGames(tmp_path)
    made = games.create(CustomInput(title="Mine", art=Artwork(portrait="https://a.example/1")))
    games.put_picture(made.id, "portrait", b"one")

    assert games.remove_picture(made.id, "portrait")
    assert not games.remove_picture(made.id, "portrait")

    assert games.with_pictures() == games.all() == (made,)


def test_a_disk_that_refuses_leaves_the_old_picture(
    art: CustomArt, tmp_path: Path, monkeypatch
) -> None:
    art.put("abc", "portrait", b"one")

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("punktfunk.library.custom_art.write_atomically", full)
    with pytest.raises(OSError, match="No space"):
        art.put("abc", "portrait", b"two")

    assert Path(art.of("abc")["portrait"]).read_bytes() == b"one"


def test_files_that_are_no_pictures_of_ours_are_left_alone(tmp_path: Path) -> None:
    game = CustomGames(tmp_path).create(CustomInput(title="Mine"))
    strange = tmp_path / ART_FOLDER / f"{game.id}.background.0123456789ab.webp"
    strange.parent.mkdir()
    strange.write_bytes(b"x")

    assert CustomGames(tmp_path).with_pictures() == (game,)
    assert strange.exists()


def test_a_folder_that_cannot_be_read_costs_its_pictures_and_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / ART_FOLDER).write_text("no folder")

    assert CustomArt(tmp_path).of("mine") == {}
    assert "cannot be found" in caplog.text
