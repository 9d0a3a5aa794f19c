"""Which games are listed, from files as Steam writes them."""

import logging
import os
from hashlib import sha512
from pathlib import Path

import pytest
from punktfunk_store_steam.games import list_games
from punktfunk_store_steam.watched import MAX_PATHS, watched_paths

from punktfunk.plugin import HostFacts, LaunchTarget

FLATPAK = ".var/app/com.valvesoftware.Steam/.local/share/Steam"


def titles(host: HostFacts) -> dict[str, str]:
    return {game.id: game.title for game in list_games(host)}


# --- libraries -------------------------------------------------------------------------------


def test_games_of_all_libraries_are_listed_once(host: HostFacts, steam, home: Path) -> None:
    steam.libraries(home / "one", home / "two")
    steam.app(570, "Dota 2")
    steam.app(220, "Half-Life 2", library=home / "one")
    steam.app(400, "Portal", library=home / "two")
    steam.app(570, "Dota 2", library=home / "two")

    assert titles(host) == {
        "steam:570": "Dota 2",
        "steam:220": "Half-Life 2",
        "steam:400": "Portal",
    }


def test_the_list_of_libraries_from_before_2021_is_understood(host, steam, home: Path) -> None:
    steam.folders_file.write_text(
        '"LibraryFolders"\n{\n\t"TimeNextStatsReport"\t\t"1588461238"\n'
        f'\t"ContentStatsID"\t\t"-6125421990219304892"\n\t"1"\t\t"{home}/games"\n}}\n'
    )
    steam.app(220, "Half-Life 2", library=home / "games")

    assert titles(host) == {"steam:220": "Half-Life 2"}


def test_a_library_with_quotes_and_backslashes_in_its_path_is_found(host, steam, home) -> None:
    odd = home / 'a "good" \\ place'
    steam.libraries(odd)
    steam.app(220, "Half-Life 2", library=odd)

    assert titles(host) == {"steam:220": "Half-Life 2"}


def test_the_other_list_of_libraries_is_used_when_one_is_damaged(host, steam, home) -> None:
    steam.libraries(home / "games")
    steam.app(220, "Half-Life 2", library=home / "games")
    (steam.root / "config").mkdir()
    steam.folders_file.rename(steam.root / "config" / "libraryfolders.vdf")
    steam.folders_file.write_bytes(b"\0" * 512)

    assert titles(host) == {"steam:220": "Half-Life 2"}


def test_libraries_before_the_cut_of_a_half_written_list_are_kept(host, steam, home) -> None:
    steam.libraries(home / "one", home / "two")
    steam.app(220, "Half-Life 2", library=home / "one")
    steam.app(400, "Portal", library=home / "two")
    text = steam.folders_file.read_text()
    steam.folders_file.write_text(text[: text.index(str(home / "two")) + 3])

    assert titles(host) == {"steam:220": "Half-Life 2"}


@pytest.mark.parametrize(
    "path",
    ["", "relative", "../..", "/", "/proc/self/root", "/dev/null", "/nul\0", "/" + "x" * 5000],
)
def test_a_library_that_is_none_costs_nothing(host: HostFacts, steam, path: str) -> None:
    steam.libraries(Path(path) if path else Path("/nonexistent"))
    steam.app(570, "Dota 2")

    assert "steam:570" in titles(host)


def test_libraries_that_contain_themselves_are_read_once(host, steam, home: Path) -> None:
    loop = home / "loop"
    loop.symlink_to(loop)
    again = home / "again"
    again.symlink_to(steam.root)
    steam.libraries(steam.root, again, loop, steam.root / "steamapps" / "..")
    steam.app(570, "Dota 2")

    assert [game.id for game in list_games(host)] == ["steam:570"]


# --- apps ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "installed"),
    [
        (4, True),
        (6, True),  # an update waits; Steam makes it before it starts the game
        (68, True),  # runs just now
        (2, False),
        (1026, False),  # first download
        (1030, False),  # update
        (518, False),  # update that was paused
        (1048580, False),
        (36, False),  # files missing
        (2052, False),  # being removed
        (0, False),
    ],
)
def test_only_what_can_be_started_counts_as_installed(host, steam, flags, installed) -> None:
    steam.app(570, "Dota 2", flags=flags)

    (game,) = list_games(host)

    assert game.installed is installed


def test_of_two_copies_the_installed_one_counts(host, steam, home, another_steam) -> None:
    steam.app(570, "Dota 2", flags=1026)
    another_steam(home / FLATPAK).app(570, "Dota 2")

    (game,) = list_games(host)

    assert game.installed
    assert game.launch.argv[0] == "flatpak"


@pytest.mark.parametrize(
    ("app_id", "name"),
    [
        (228980, "Steamworks Common Redistributables"),
        (250820, "SteamVR"),
        (1493710, "Proton Experimental"),
        (1493711, "Proton - Experimental"),
        (2180100, "Proton Hotfix"),
        (2805730, "Proton 9.0 (Beta)"),
        (1826330, "Proton EasyAntiCheat Runtime"),
        (1628350, "Steam Linux Runtime 3.0 (sniper)"),
        (4183110, "Steam Linux Runtime 4.0"),
    ],
)
def test_tools_and_runtimes_are_no_games(host: HostFacts, steam, app_id: int, name: str) -> None:
    steam.app(app_id, name)

    assert list_games(host) == []


def test_what_brings_a_manifest_of_a_tool_is_a_tool(host: HostFacts, steam) -> None:
    steam.app(999, "Some Tool", folder="Some Tool")
    tool = steam.root / "steamapps" / "common" / "Some Tool"
    tool.mkdir()
    (tool / "toolmanifest.vdf").write_text('"manifest"\n{\n  "version" "2"\n}\n')

    assert list_games(host) == []


def test_a_game_that_is_called_like_a_tool_is_a_game(host: HostFacts, steam) -> None:
    steam.app(1102470, "Proton Bus Simulator Road")

    assert titles(host) == {"steam:1102470": "Proton Bus Simulator Road"}


@pytest.mark.parametrize("name", ["原神", "Žižka", "NieR:Automata™", "Ведьмак 3: Дикая Охота"])
def test_names_are_kept_in_their_own_language(host: HostFacts, steam, name: str) -> None:
    steam.app(570, name)

    assert titles(host) == {"steam:570": name}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb\tc", "a b c"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("exe.\u202egpj", "exe. gpj"),
        ("x" * 10_000, "x" * 500),
        ("  spaced  ", "spaced"),
    ],
)
def test_names_are_made_fit_to_be_shown(host: HostFacts, steam, name: str, shown: str) -> None:
    steam.app(570, name)

    assert titles(host) == {"steam:570": shown}


def test_bytes_that_are_not_utf8_in_a_name_are_left_away(host: HostFacts, steam) -> None:
    path = steam.app(570, "Dota 2")
    path.write_bytes(path.read_bytes().replace(b'"Dota 2"', b'"Dota\xff2"', 1))

    assert titles(host) == {"steam:570": "Dota 2"}


def test_a_manifest_without_a_name_takes_it_from_elsewhere(host: HostFacts, steam) -> None:
    path = steam.app(570, "", folder="dota 2 beta")
    assert titles(host) == {"steam:570": "dota 2 beta"}

    path.write_text(path.read_text().replace('"language"', '"name"\t\t"Dota 2"\n"language"', 1))
    assert titles(host) == {"steam:570": "Dota 2"}


# --- damaged and hostile ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'"AppState"\n{\n\t"appid"\t\t"440"\n\t"name"\t\t"Te',
        b"\0" * 4096,
        sha512(b"noise").digest() * 64,
        b'"AppState"' + b'"a" {' * 100_000,
        b'"AppState" { "appid" "440" }',
        b'"AppState" { "appid" { "440" "440" } "name" { } "StateFlags" { } }',
        b'"AppState" "440"',
        b'"Other" { "appid" "440" "name" "Team Fortress 2" }',
        b"\xff\xfe" + '"AppState" { "appid" "440" "name" "x" }'.encode("utf-16-le"),
    ],
    ids=range(10),
)
def test_a_damaged_manifest_costs_only_its_own_game(
    host: HostFacts, steam, content: bytes, caplog
) -> None:
    steam.app(570, "Dota 2")
    (steam.root / "steamapps" / "appmanifest_440.acf").write_bytes(content)

    with caplog.at_level(logging.WARNING):
        assert titles(host) == {"steam:570": "Dota 2"}

    (record,) = caplog.records
    assert "appmanifest_440.acf" in record.getMessage()


def test_a_huge_manifest_is_not_read(host: HostFacts, steam) -> None:
    steam.app(570, "Dota 2")
    huge = steam.app(440, "Team Fortress 2")
    os.truncate(huge, 100 << 20)

    assert titles(host) == {"steam:570": "Dota 2"}


def test_many_long_manifests_cost_no_others(host: HostFacts, steam) -> None:
    steam.app(570, "Dota 2")
    junk = b'"a" "b"\n' * 30_000
    for app_id in range(100, 200):
        (steam.root / "steamapps" / f"appmanifest_{app_id}.acf").write_bytes(junk)

    assert titles(host) == {"steam:570": "Dota 2"}


@pytest.mark.parametrize("kind", ["pipe", "folder", "loop", "dangling", "device", "secret"])
def test_what_is_no_file_costs_only_its_own_game(host: HostFacts, steam, kind: str) -> None:
    steam.app(570, "Dota 2")
    path = steam.root / "steamapps" / "appmanifest_440.acf"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        targets = {
            "loop": path,
            "dangling": "nowhere",
            "device": "/dev/zero",
            "secret": "/etc/passwd",
        }
        path.symlink_to(targets[kind])

    assert titles(host) == {"steam:570": "Dota 2"}


@pytest.mark.parametrize(
    "app_id",
    ["../../etc/passwd", "-1", "0", str(2**80), str(2**32), "570;reboot", "$(reboot)", "5 70",
     "570\\n", "٥٧٠", "0570", "571", "5e2", " 570", "", "--help"],
)  # fmt: skip
def test_threat_21_an_app_id_is_digits_and_agrees_with_the_file(
    host: HostFacts, steam, app_id: str
) -> None:
    path = steam.app(570, "Dota 2")
    path.write_text(path.read_text().replace('"570"', f'"{app_id}"', 1))

    assert list_games(host) == []


def test_threat_21_hostile_names_of_manifests_list_nothing(host: HostFacts, steam) -> None:
    content = steam.app(570, "Dota 2").read_text()
    for name in ("appmanifest_;reboot.acf", "appmanifest_5\n70.acf", "appmanifest_.acf"):
        (steam.root / "steamapps" / name).write_text(content)
    (steam.root / "steamapps" / os.fsdecode(b"appmanifest_\xff.acf")).write_text(content)

    assert titles(host) == {"steam:570": "Dota 2"}


@pytest.mark.parametrize("folder", ["..", ".", "/etc", "../../..", "a/b", "nul\0", "x" * 5000])
def test_threat_21_an_install_folder_leads_nowhere_else(host, steam, folder: str) -> None:
    steam.app(570, "Dota 2", folder=folder)
    (steam.root / "steamapps" / "toolmanifest.vdf").write_text("")

    assert titles(host) == {"steam:570": "Dota 2"}


# --- launching -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "argv"),
    [
        (".local/share/Steam", ("steam",)),
        (FLATPAK, ("flatpak", "run", "com.valvesoftware.Steam")),
        ("snap/steam/common/.local/share/Steam", ("snap", "run", "steam")),
    ],
)
def test_threat_21_a_launch_is_exactly_this_argument_list(
    host: HostFacts, home: Path, another_steam, place: str, argv: tuple[str, ...]
) -> None:
    another_steam(home / place).app(570, '"; reboot; $(reboot) `reboot` \\n')

    (game,) = list_games(host)

    assert game.launch.argv == (*argv, "steam://rungameid/570")
    assert game.launch.process_sign == "AppId=570"
    assert dict(game.launch.environment) == {}
    assert game.launch.folder == ""
    assert game.target == LaunchTarget(kind="steam_appid", value="570")


# --- shortcuts -------------------------------------------------------------------------------


def test_a_shortcut_is_launched_by_its_long_number_and_seen_by_its_short_one(host, steam) -> None:
    # The pair of numbers is one that Steam made.
    steam.shortcuts({"appid": 3501819989, "AppName": "Foxit"})

    (game,) = list_games(host)

    assert game.title == "Foxit"
    assert game.id == "steam:15040202329267634176"
    assert game.launch.argv == ("steam", "steam://rungameid/15040202329267634176")
    assert game.launch.process_sign == "AppId=3501819989"


def test_a_shortcut_without_a_number_gets_the_one_steam_used_to_give(host, steam) -> None:
    steam.shortcuts({"appid": None, "AppName": "Game", "Exe": '"/games/game.sh"'})

    (game,) = list_games(host)

    # CRC-32 of `"/games/game.sh"Game` with the highest bit set.
    assert game.launch.process_sign == "AppId=3088233018"
    assert game.id == f"steam:{3088233018 << 32 | 0x02000000}"


def test_hidden_and_nameless_shortcuts_are_left_out(host: HostFacts, steam) -> None:
    steam.shortcuts(
        {"appid": 1, "AppName": "Hidden", "IsHidden": 1},
        {"appid": 2, "AppName": " \x07 "},
        {"appid": 3, "AppName": "Shown"},
    )

    assert list(titles(host).values()) == ["Shown"]


def test_keys_of_shortcuts_are_read_in_any_case(host: HostFacts, steam) -> None:
    steam.shortcuts({"appid": None, "AppName": None, "appname": "Old", "AppID": 0x80000005})

    assert titles(host) == {f"steam:{0x80000005 << 32 | 0x02000000}": "Old"}


def test_a_cut_in_the_shortcuts_costs_those_behind_it(host: HostFacts, steam) -> None:
    steam.app(570, "Dota 2")
    path = steam.shortcuts({"appid": 1, "AppName": "One"}, {"appid": 2, "AppName": "Two"})
    path.write_bytes(path.read_bytes()[:-20])

    assert sorted(titles(host).values()) == ["Dota 2", "One"]


def test_the_same_shortcut_of_two_people_is_listed_once(host: HostFacts, steam) -> None:
    path = steam.shortcuts({"appid": 5, "AppName": "Same"})
    other = steam.root / "userdata" / "87654321" / "config"
    other.mkdir(parents=True)
    (other / "shortcuts.vdf").write_bytes(path.read_bytes())
    (steam.root / "userdata" / "anonymous").mkdir()

    assert list(titles(host).values()) == ["Same"]


def test_threat_21_what_a_shortcut_runs_is_left_to_steam(host: HostFacts, steam) -> None:
    steam.shortcuts(
        {"appid": 7, "AppName": "$(reboot)", "Exe": "sh -c reboot", "LaunchOptions": "; reboot"}
    )

    (game,) = list_games(host)

    assert game.launch.argv == ("steam", f"steam://rungameid/{7 << 32 | 0x02000000}")


# --- watching --------------------------------------------------------------------------------


def test_what_makes_games_come_and_go_is_watched(host: HostFacts, steam, home: Path) -> None:
    steam.libraries(home / "games")

    paths = watched_paths(host)

    assert {
        steam.root / "steamapps",
        home / "games" / "steamapps",
        steam.folders_file,
        steam.config / "shortcuts.vdf",
        steam.grid,
    } <= set(paths)
    assert steam.root not in paths
    assert len(paths) == len(set(paths)) <= MAX_PATHS


def test_where_steam_may_yet_be_installed_is_watched(host: HostFacts, home: Path) -> None:
    assert home / ".local/share/Steam" in watched_paths(host)
