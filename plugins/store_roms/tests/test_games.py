"""Which files become games, and how they are started."""

import os
from pathlib import Path

import pytest
from punktfunk_store_roms.games import list_games
from punktfunk_store_roms.scanning import MAX_DEPTH, Scan
from punktfunk_store_roms.watched import MAX_PATHS, watched_paths

from punktfunk.plugin import Artwork, HostFacts


@pytest.fixture
def snes(configured, install) -> HostFacts:
    install("snes9x")
    return configured(["snes=~/games/snes"])


@pytest.fixture
def psx(configured, install) -> HostFacts:
    install("duckstation-qt")
    return configured(["psx=~/games/psx"])


def titles(host: HostFacts) -> list[str]:
    return sorted(game.title for game in list_games(host))


# --- files -----------------------------------------------------------------------------------


def test_files_of_the_system_are_games(snes: HostFacts, rom) -> None:
    for name in ("A.sfc", "B.SMC", "C.zip", "D.7z", "sub/sub/E.sfc"):
        rom(f"snes/{name}")
    for name in ("readme.txt", "A.srm", "A.png", "F", ".hidden.sfc", ".trash/G.sfc", "saves/H.sfc"):
        rom(f"snes/{name}")

    assert titles(snes) == ["A", "B", "C", "D", "E"]


def test_an_unknown_system_has_all_files_that_are_not_plainly_others(
    configured, rom, install
) -> None:
    install("fs-uae")
    for name in ("A.adf", "B.lha", "A.png", "notes.txt", "README", "A.sav"):
        rom(f"amiga/{name}")

    assert titles(configured(["amiga=~/games/amiga"], ["amiga=fs-uae {rom}"])) == ["A", "B"]


def test_two_regions_of_a_game_are_told_apart(snes: HostFacts, rom) -> None:
    rom("snes/Legend (USA).sfc")
    rom("snes/Legend (Europe).sfc")
    rom("snes/Saga (USA).sfc")

    assert titles(snes) == ["Legend (Europe)", "Legend (USA)", "Saga"]


def test_a_file_whose_name_cannot_be_shown_has_a_title(snes: HostFacts, rom) -> None:
    rom("snes/\n.sfc")

    (title,) = titles(snes)

    assert title.startswith("Super Nintendo ")


# --- discs -----------------------------------------------------------------------------------


def test_a_list_of_discs_stands_for_its_discs(psx: HostFacts, rom) -> None:
    rom("psx/Saga (USA).m3u", "# discs\nSaga (USA) (Disc 1).cue\r\nparts/Saga (Disc 2).chd\n")
    rom("psx/Saga (USA) (Disc 1).cue", 'FILE "track one.bin" BINARY\n  TRACK 01 MODE2/2352\n')
    rom("psx/track one.bin")
    rom("psx/parts/Saga (Disc 2).chd")

    assert titles(psx) == ["Saga"]


def test_a_sheet_stands_for_its_tracks(psx: HostFacts, rom) -> None:
    rom("psx/A.cue", 'FILE "a1.bin" BINARY\n  FILE a2.bin BINARY\nFILE ".\\sub\\a3.bin" BINARY\n')
    for name in ("a1.bin", "a2.bin", "sub/a3.bin", "B.ccd", "B.img", "C.cue", "C.bin", "D.bin"):
        rom(f"psx/{name}")

    assert titles(psx) == ["A", "B", "C", "D"]


def test_a_dreamcast_sheet_stands_for_its_tracks(configured, rom) -> None:
    rom("dreamcast/A.gdi", '2\n1 0 4 2352 "track 01.iso" 0\n2 756 0 2352 track02.iso 0\n')
    rom("dreamcast/track 01.iso")
    rom("dreamcast/track02.iso")

    assert titles(configured(["~/games"])) == ["A"]


def test_discs_without_a_list_keep_their_numbers(psx: HostFacts, rom) -> None:
    rom("psx/Saga (USA) (Disc 1).chd")
    rom("psx/Saga (USA) (Disc 2).chd")

    assert titles(psx) == ["Saga (Disc 1)", "Saga (Disc 2)"]


def test_lists_that_name_each_other_stay(psx: HostFacts, rom) -> None:
    rom("psx/A.m3u", "B.m3u\nA.m3u\n../psx/A.m3u\n")
    rom("psx/B.m3u", "A.m3u\n/etc/passwd\n../../../x\n")

    assert titles(psx) == ["A", "B"]


@pytest.mark.parametrize(
    "content",
    [b"\0" * 100, b"\xff" * 70_000, b"FILE " * 20_000, b'FILE "' * 20_000, b"1 " * 40_000],
)
@pytest.mark.parametrize("suffix", ["cue", "m3u", "gdi", "ccd"])
def test_a_damaged_sheet_is_a_game_all_the_same(configured, rom, content, suffix: str) -> None:
    system = "dreamcast" if suffix == "gdi" else "psx"
    rom(f"{system}/A.{suffix}").write_bytes(content)
    rom(f"{system}/B.chd")

    assert titles(configured([f"{system}=~/games/{system}"])) == ["A", "B"]


def test_a_pipe_or_a_link_to_itself_is_no_game(psx: HostFacts, rom) -> None:
    folder = rom("psx/A.chd").parent
    os.mkfifo(folder / "B.cue")
    (folder / "C.cue").symlink_to("C.cue")
    (folder / "D.cue").symlink_to("gone")

    assert titles(psx) == ["A"]


# --- folders ---------------------------------------------------------------------------------


def test_folders_in_circles_are_looked_through_once(snes: HostFacts, rom) -> None:
    folder = rom("snes/A.sfc").parent
    (folder / "again").symlink_to(folder)
    (folder / "up").symlink_to("..")

    assert titles(snes) == ["A"]


def test_folders_are_looked_through_only_so_deep(snes: HostFacts, rom, caplog) -> None:
    rom("snes/" + "d/" * MAX_DEPTH + "A.sfc")
    rom("snes/" + "d/" * (MAX_DEPTH + 1) + "B.sfc")

    assert titles(snes) == ["A"]
    assert "nested deeper" in caplog.text


def test_only_so_many_files_are_looked_at(rom) -> None:
    for number in range(20):
        folder = rom(f"snes/{number % 3}/{number}.sfc").parent.parent
    scan = Scan(entries=10)

    listed = [name for listing in scan.listings(folder) for name in listing.files]

    assert len(listed) == 10 - 3
    assert "beyond the first" in scan.left_out[0]


# --- keys ------------------------------------------------------------------------------------


def test_keys_stay_when_the_folder_moves_and_do_not_tell_names(
    configured, install, rom, home: Path
) -> None:
    install("snes9x")
    rom("snes/Secret Name.sfc")
    before = list_games(configured(["snes=~/games/snes"]))
    (home / "games").rename(home / "elsewhere")

    after = list_games(configured(["sfc=~/elsewhere/snes"]))

    assert [game.id for game in after] == [game.id for game in before]
    assert before[0].id == "roms:snes-76d213897659fdc0"
    assert before[0].launch != after[0].launch


def test_the_same_file_in_two_folders_is_listed_once(configured, rom) -> None:
    rom("one/A.sfc")
    rom("two/A.sfc")

    assert titles(configured(["snes=~/games/one", "snes=~/games/two"])) == ["A"]


# --- launching -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "plain.sfc",
        "with space.sfc",
        "$(reboot) `reboot` ; reboot & | > x.sfc",
        "'quotes\" \\.sfc",
        "two\nlines.sfc",
        "--option.sfc",
        "{rom} {name}.sfc",
        "%f %u.sfc",
        os.fsdecode(b"invalid \xff\xfe.sfc"),
    ],
)
def test_threat_21_a_file_name_is_one_argument_byte_for_byte(
    snes: HostFacts, home: Path, rom, name: str
) -> None:
    rom(f"snes/{name}")

    (game,) = list_games(snes)

    assert game.launch.argv == ("snes9x", f"{home}/games/snes/{name}")
    assert os.fsencode(game.launch.argv[1]) == os.fsencode(home / "games" / "snes" / name)
    assert Path(game.launch.argv[1]).is_file()
    assert dict(game.launch.environment) == {}
    assert game.target.kind == "rom"
    assert (game.title + game.target.value).isprintable()


def test_threat_21_a_short_name_that_is_an_option_is_not_started(
    configured, install, rom, home: Path
) -> None:
    install("mame")
    rom("arcade/-listxml.zip")
    rom("arcade/pacman.zip")

    argvs = {
        game.title: game.launch and game.launch.argv
        for game in list_games(configured(["arcade=~/games/arcade"]))
    }

    assert argvs == {
        "-listxml": None,
        "pacman": ("mame", "-rompath", f"{home}/games/arcade", "pacman"),
    }


def test_without_an_emulator_games_are_listed_but_not_started(configured, rom) -> None:
    rom("psx/A.chd")

    (game,) = list_games(configured(["~/games"]))

    assert (game.title, game.target, game.launch) == ("A", None, None)


# --- pictures --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "place"),
    [
        ("portrait", "A (USA).png"),
        ("portrait", "A (USA).jpg"),
        ("portrait", "media/A (USA).png"),
        ("portrait", "media/covers/A (USA).webp"),
        ("portrait", "images/A (USA)-image.png"),
        ("hero", "media/fanart/A (USA).jpg"),
        ("logo", "media/marquees/A (USA).png"),
    ],
)
def test_pictures_are_found_where_front_ends_put_them(snes, rom, field: str, place: str) -> None:
    rom("snes/A (USA).sfc")
    picture = rom(f"snes/{place}")

    (game,) = list_games(snes)

    assert game.art == Artwork(**{field: str(picture)})


def test_pictures_of_games_in_nested_folders_are_found(snes: HostFacts, rom) -> None:
    rom("snes/sub/A.sfc")
    picture = rom("snes/media/A.png")

    (game,) = list_games(snes)

    assert game.art.portrait == str(picture)


# --- watching --------------------------------------------------------------------------------


def test_folders_with_games_are_watched(configured, rom, home: Path) -> None:
    rom("snes/sub/A.sfc")

    paths = watched_paths(configured(["~/games"]))

    assert paths == [home / "games", home / "games/snes", home / "games/snes/sub"]


def test_only_so_many_folders_are_watched(configured, home: Path) -> None:
    for number in range(MAX_PATHS + 20):
        (home / "snes" / str(number)).mkdir(parents=True)

    assert len(watched_paths(configured(["snes=~/snes"]))) == MAX_PATHS
