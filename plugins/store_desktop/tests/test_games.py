"""Which entries are listed, how they look, and how they start."""

import shutil
import subprocess
from pathlib import Path

import pytest


def test_a_package_s_entry_is_a_game(system, listed) -> None:
    system.reef_racer()
    icon = system.icon("icons/hicolor/128x128/apps/reef-racer.png")

    game = listed()["reef-racer"]

    assert game.title == "Reef Racer"
    assert game.launch.argv == ("reef-racer", "--fullscreen")
    assert (game.launch.folder, game.launch.process_sign) == ("", "")
    assert game.art.portrait == str(icon)
    assert (game.target.kind, game.target.value) == ("desktop", "reef-racer")


@pytest.mark.parametrize("whose", ["person", "system"])
def test_what_flatpak_exports_is_listed(
    home: Path, tmp_path: Path, programs: Path, menu, listed, whose: str
) -> None:
    base = home / ".local/share/flatpak" if whose == "person" else tmp_path / "flatpak"
    exports = type(menu)(base / "exports/share", programs)
    flatpak = programs / "flatpak"
    menu.install("flatpak")
    # What is exported is a link to the app's own file.
    real = type(menu)(base / "app/org.example.Lantern/export/share", programs)
    target = real.lantern("org.example.Lantern.desktop", flatpak=str(flatpak))
    (exports.share / "applications").mkdir(parents=True)
    (exports.share / "applications" / target.name).symlink_to(target)
    icon = exports.icon("icons/hicolor/256x256/apps/org.example.Lantern.png")

    game = listed()["org.example.Lantern"]

    assert game.launch.argv == (
        *(str(flatpak), "run", "--branch=stable", "--arch=x86_64", "--command=lantern"),
        *("--file-forwarding", "org.example.Lantern", "@@u", "@@"),
    )
    assert game.art.portrait == str(icon)


@pytest.mark.skipif(not shutil.which("desktop-file-validate"), reason="no desktop-file-utils")
def test_the_fixtures_are_good_entries(menu) -> None:
    files = [menu.reef_racer(), menu.lantern("org.example.Lantern.desktop"), menu.add("a")]

    ran = subprocess.run(["desktop-file-validate", *files], capture_output=True, text=True)

    assert (ran.returncode, ran.stdout) == (0, "")


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("de_AT.UTF-8", "Riffrenna"),
        ("de_CH.UTF-8", "Riffrenner"),
        ("de_AT@euro", "Riffrenna"),
        ("de", "Riffrenner"),
        ("fr_FR.UTF-8", "Reef Racer"),
        ("C.UTF-8", "Reef Racer"),
        ("", "Reef Racer"),
        ("_@", "Reef Racer"),
    ],
)
def test_the_title_is_in_the_person_s_language(system, listed, language: str, title: str) -> None:
    system.reef_racer()

    assert listed({"LANG": language})["reef-racer"].title == title


def test_only_games_are_listed_unless_asked_otherwise(menu, listed) -> None:
    menu.add("game")
    menu.add("editor", Categories="Utility;TextEditor;")
    menu.add("player", Categories="AudioVideo;Player;")
    menu.add("none", Categories=None)

    assert set(listed()) == {"game"}
    assert set(listed(categories=["Utility"])) == {"editor"}
    assert set(listed(all=True)) == {"game", "editor", "player", "none"}
    assert set(listed(include=["player.desktop", "none"])) == {"game", "player", "none"}
    assert set(listed(all=True, exclude=["game", "none.desktop"])) == {"editor", "player"}


@pytest.mark.parametrize(
    "exec_line",
    [
        "steam %U",
        "steam steam://rungameid/570",
        "lutris lutris:rungameid/7",
        "env LUTRIS_SKIP_INIT=1 lutris lutris:rungameid/7",
        'game "heroic://launch?appName=Quail&runner=legendary"',
        "game run --branch=stable com.valvesoftware.Steam @@u %U @@",
        "game run net.lutris.Lutris",
    ],
)
def test_what_other_stores_list_is_left_out_unless_included(menu, listed, exec_line: str) -> None:
    menu.install("steam", "lutris")
    menu.add("shortcut", exec_line)

    assert listed() == {}
    assert listed(all=True) == {}
    assert set(listed(include=["shortcut"])) == {"shortcut"}


@pytest.mark.parametrize(
    "keys",
    [
        {"Hidden": "true"},
        {"NoDisplay": "true"},
        {"Type": "Link"},
        {"Type": None},
        {"TryExec": "not-installed"},
        {"TryExec": "/not/installed"},
        {"OnlyShowIn": "KDE;LXQt;"},
        {"NotShowIn": "KDE;sway;"},
    ],
)
def test_what_no_menu_would_show_is_left_out(menu, listed, keys: dict[str, str]) -> None:
    menu.add("a", **keys)

    assert listed({"XDG_CURRENT_DESKTOP": "sway:wlroots"}) == {}


def test_what_the_desktop_would_show_is_listed(menu, listed) -> None:
    menu.add("a", OnlyShowIn="GNOME;sway;", NotShowIn="KDE;", TryExec="game", Hidden="false")

    assert set(listed({"XDG_CURRENT_DESKTOP": "sway:wlroots"})) == {"a"}


def test_a_person_s_entry_hides_the_system_s(menu, system, listed) -> None:
    system.add("a", Name="The system's")
    system.add("b")
    menu.add("a", Name="One's own")
    menu.add("b", Hidden="true")

    assert [game.title for game in listed().values()] == ["One's own"]


def test_a_folder_s_name_is_part_of_the_id(menu, system, listed) -> None:
    menu.add("kde/old/chess")
    system.add("kde-old-chess", Name="hidden by the one above")

    assert {key: game.title for key, game in listed().items()} == {"kde-old-chess": "kde/old/chess"}


def test_a_program_that_is_gone_is_left_out(menu, listed, caplog) -> None:
    menu.add("a", "removed --fast")

    assert listed() == {}
    assert "'removed' is not installed" in caplog.text


def test_the_working_folder_is_the_entry_s(menu, listed) -> None:
    menu.add("a", Path="/srv/my games")
    menu.add("b", Path="games")

    assert [game.launch.folder for game in listed().values()] == ["/srv/my games", ""]


def test_a_program_for_a_terminal_gets_one(menu, listed, caplog) -> None:
    menu.add("a", "game --curses", Terminal="true")

    assert listed() == {}
    assert "needs a terminal" in caplog.text

    menu.install("xterm")
    assert listed()["a"].launch.argv == ("xterm", "-e", "game", "--curses")

    menu.install("foot")
    assert listed()["a"].launch.argv == ("foot", "game", "--curses")
    assert listed(terminal=["my-term", "--"])["a"].launch.argv[:3] == ("my-term", "--", "game")


def test_what_only_d_bus_can_start_is_left_out(menu, listed) -> None:
    menu.add("a", "game --gapplication", DBusActivatable="true")
    menu.add("b", None, DBusActivatable="true")

    assert {key: game.launch.argv for key, game in listed().items()} == {
        "a": ("game", "--gapplication")
    }


def test_the_largest_picture_is_taken(menu, system, home: Path, listed) -> None:
    menu.add("a", Icon="reef")
    for size in (32, 48):
        menu.icon(f"icons/hicolor/{size}x{size}/apps/reef.png")
    largest = system.icon("icons/hicolor/256x256/apps/reef.png")

    assert listed()["a"].art.portrait == str(largest)


def test_pictures_are_png_of_a_theme_of_pixmaps_or_of_a_path(menu, tmp_path: Path, listed) -> None:
    own = tmp_path / "own.png"
    own.write_bytes(b"\x89PNG")
    pixmap = menu.icon("pixmaps/old.png")
    menu.icon("icons/hicolor/scalable/apps/vector.svg")
    (tmp_path / "vector.svg").write_text("<svg/>")
    icons = {
        "own": (str(own), str(own)),
        "old": ("old", str(pixmap)),
        "suffix": ("old.png", str(pixmap)),
        "vector": ("vector", None),
        "svg": (str(tmp_path / "vector.svg"), None),
        "missing": ("/missing.png", None),
        "up": ("../pixmaps/old", None),
        "none": ("", None),
    }
    for name, (icon, _) in icons.items():
        menu.add(name, Icon=icon)

    found = {key: game.art.portrait for key, game in listed().items()}

    assert found == {name: path for name, (_, path) in icons.items()}
