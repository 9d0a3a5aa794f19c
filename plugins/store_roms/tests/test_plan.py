"""Settings, emulators, and what the user is told."""

from pathlib import Path

import pytest
from punktfunk_store_roms.plan import MAX_COLLECTIONS, read_plan
from punktfunk_store_roms.status import status
from punktfunk_store_roms.systems import EMULATORS, SYSTEMS
from punktfunk_store_roms.templates import parse_template

CORE = ".config/retroarch/cores/snes9x_libretro.so"


def templates(host) -> dict[str, tuple[str, ...]]:
    return {
        collection.system.name: collection.template.words
        for collection in read_plan(host).collections
        if collection.template
    }


def reasons(host) -> list[str]:
    return [problem.reason for problem in read_plan(host).problems]


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_every_system_names_emulators_that_are_known() -> None:
    for system in SYSTEMS.values():
        assert set(system.emulators) <= EMULATORS.keys()
        assert system.suffixes
        assert bool(system.cores) == ("retroarch" in system.emulators)


@pytest.mark.parametrize("name", EMULATORS)
def test_built_in_command_lines_are_ones(name: str) -> None:
    arguments = EMULATORS[name].arguments.replace("{core}", "/core.so")

    parse_template(f"emu {arguments}", "")


# --- folders ---------------------------------------------------------------------------------


def test_a_folder_can_be_given_with_its_system(configured, rom, home: Path) -> None:
    rom("mine/a.sfc")

    (found,) = read_plan(configured(["SNES = ~/games/mine"])).collections

    assert (found.system.name, found.folder) == ("snes", home / "games/mine")


def test_folders_called_like_systems_are_found_in_a_folder(configured, rom, home: Path) -> None:
    for name in ("SNES/a.sfc", "megadrive/a.md", "holiday/a.sfc", "psx.txt"):
        rom(name)

    plan = read_plan(configured(["~/games"]))

    assert {found.system.name: found.folder.name for found in plan.collections} == {
        "snes": "SNES",
        "genesis": "megadrive",
    }
    assert plan.parents == (home / "games",)


def test_a_system_of_ones_own_is_found_by_its_emulator(configured, rom, install) -> None:
    install("fs-uae")
    rom("amiga/a.adf")
    host = configured(["~/games"], ["amiga=fs-uae {rom}"])

    assert templates(host) == {"amiga": ("fs-uae", "{rom}")}
    assert reasons(host) == []


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("", "neither"),
        ("snes", "neither"),
        ("snes=", "neither"),
        ("../x=/games", "neither"),
        ("snes=games", "not an absolute"),
        ("snes=/gone", "there is no folder '/gone'"),
        ("/gone", "there is no folder"),
        ("snes=/nul\0", "not an absolute"),
        ("snes=/" + "x" * 5_000, "there is no folder"),
        ("~", "no folder that is called like a system"),
    ],
)
def test_a_mistake_in_folders_costs_its_own_line(configured, rom, line, complaint) -> None:
    rom("snes/a.sfc")
    host = configured([line, "snes=~/games/snes"])

    assert complaint in reasons(host)[0]
    assert [found.folder.name for found in read_plan(host).collections] == ["snes"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("snes", "system=command"),
        ("snes=", "system=command"),
        ("$(id)=emu {rom}", "system=command"),
        ("snes=emu", "no {rom}"),
        ("snes='emu {rom}", "quotation"),
        ("snes=nosuchprogram {rom}", "there is no program 'nosuchprogram'"),
    ],
)
def test_a_mistake_in_emulators_is_named(configured, rom, install, line, complaint) -> None:
    install("snes9x")
    rom("snes/a.sfc")

    assert complaint in reasons(configured(["~/games"], [line]))[0]


def test_folders_are_counted(configured, home: Path) -> None:
    lines = [f"snes=~/{number}" for number in range(MAX_COLLECTIONS + 5)]
    for number in range(MAX_COLLECTIONS + 5):
        (home / str(number)).mkdir()
    plan = read_plan(configured(lines))

    assert len(plan.collections) == MAX_COLLECTIONS
    assert f"first {MAX_COLLECTIONS}" in plan.problems[0].reason


# --- emulators -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "program"),
    [
        ("arcade", "mame"),
        ("gc", "dolphin-emu"),
        ("wii", "dolphin-emu"),
        ("gba", "mgba"),
        ("nds", "melonDS"),
        ("ps2", "pcsx2-qt"),
        ("psp", "PPSSPPSDL"),
        ("psx", "duckstation-qt"),
        ("snes", "snes9x"),
    ],
)
def test_programs_on_the_path_are_used(configured, rom, install, system, program) -> None:
    install(program)
    rom(f"{system}/a")

    assert templates(configured(["~/games"]))[system][0] == program


def test_retroarch_needs_a_core_for_the_system(configured, rom, install, home: Path) -> None:
    install("retroarch")
    rom("snes/a.sfc")
    host = configured(["~/games"])
    assert templates(host) == {}
    assert "RetroArch has no core for it (snes9x, bsnes)" in reasons(host)[0]

    core = touch(home / CORE)

    (found,) = read_plan(host).collections
    assert found.template.fill(Path("/a.sfc")) == ("retroarch", "-f", "-L", str(core), "/a.sfc")


def test_flatpaks_are_used_with_their_own_cores(configured, rom, install, home: Path) -> None:
    install("flatpak")
    rom("snes/a.sfc")
    (home / ".local/share/flatpak/app/org.libretro.RetroArch").mkdir(parents=True)
    touch(home / CORE)
    host = configured(["~/games"])
    assert templates(host) == {}

    core = touch(home / ".var/app/org.libretro.RetroArch" / CORE.removeprefix("."))

    (found,) = read_plan(host).collections
    assert found.template.fill(Path("/a.sfc")) == (
        "flatpak", "run", "org.libretro.RetroArch", "-f", "-L", str(core), "/a.sfc",
    )  # fmt: skip


def test_what_the_user_wrote_is_preferred(configured, rom, install) -> None:
    install("snes9x", "my-emu")
    rom("snes/a.sfc")

    assert templates(configured(["~/games"], ["sfc=my-emu -x {rom}"])) == {
        "snes": ("my-emu", "-x", "{rom}")
    }


# --- status ----------------------------------------------------------------------------------


def test_without_settings_the_user_is_told_what_to_write(host) -> None:
    found = status(host)

    assert not found.available
    assert found.reason == "no folders are set"
    assert 'folders = ["snes=/games/snes"]' in found.hint


def test_what_works_is_named_with_what_does_not(configured, rom, install) -> None:
    install("snes9x")
    rom("snes/a.sfc")
    rom("psx/a.chd")

    found = status(configured(["~/games"]))

    assert found.available
    assert "Super Nintendo with snes9x" in found.reason
    assert "PlayStation: no emulator was found (install DuckStation or RetroArch" in found.reason


def test_nothing_that_works_is_a_no_with_hints(configured, rom) -> None:
    rom("psx/a.chd")
    rom("amiga/a.adf")

    found = status(configured(["~/games", "amiga=~/games/amiga"]))

    assert not found.available
    assert "PlayStation: no emulator was found" in found.reason
    assert "install DuckStation or RetroArch" in found.hint
    assert 'set emulators = ["amiga=PROGRAM {rom}"]' in found.hint
