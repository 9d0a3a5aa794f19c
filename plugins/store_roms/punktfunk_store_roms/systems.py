"""The systems that are known by name: their files, and what can run them."""

import re

import attrs

_DISCS = "chd cue iso m3u"
_ARCHIVES = "zip 7z"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@attrs.frozen(kw_only=True)
class Emulator:
    """A program that is looked for.

    Attributes:
        programs: Its names on the PATH; the first found is taken.
        flatpak: Its id; empty when there is none.
        arguments: Split as a shell would. `{rom}` is the file, `{folder}` where it is,
            `{name}` its name without suffix, `{core}` the system's libretro core.
    """

    title: str
    programs: tuple[str, ...] = attrs.field(converter=_words)
    flatpak: str = ""
    arguments: str = "{rom}"


@attrs.frozen(kw_only=True)
class System:
    """A console, or whatever else games are for.

    Attributes:
        name: As in the settings, in ids, and as people call the folder.
        suffixes: Of its files, without dots. Empty: everything that is not plainly
            something else.
        emulators: Names in `EMULATORS`, the preferred one first.
        cores: Libretro cores, for RetroArch.
    """

    name: str
    title: str
    suffixes: tuple[str, ...] = attrs.field(default="", converter=_words)
    emulators: tuple[str, ...] = attrs.field(default="", converter=_words)
    cores: tuple[str, ...] = attrs.field(default="", converter=_words)
    aliases: tuple[str, ...] = attrs.field(default="", converter=_words)


EMULATORS = {
    "dolphin": Emulator(
        title="Dolphin",
        programs="dolphin-emu",
        flatpak="org.DolphinEmu.dolphin-emu",
        arguments="--batch --config=Dolphin.Display.Fullscreen=True --exec={rom}",
    ),
    "duckstation": Emulator(
        title="DuckStation",
        programs="duckstation-qt duckstation-nogui",
        flatpak="org.duckstation.DuckStation",
        arguments="-batch -fullscreen -- {rom}",
    ),
    # MAME takes a game by its short name, and looks for it in folders.
    "mame": Emulator(
        title="MAME",
        programs="mame",
        flatpak="org.mamedev.MAME",
        arguments="-rompath {folder} {name}",
    ),
    "melonds": Emulator(
        title="melonDS",
        programs="melonDS",
        flatpak="net.kuribo64.melonDS",
        arguments="--fullscreen {rom}",
    ),
    "mgba": Emulator(
        title="mGBA", programs="mgba-qt mgba", flatpak="io.mgba.mGBA", arguments="-f {rom}"
    ),
    "pcsx2": Emulator(
        title="PCSX2",
        programs="pcsx2-qt",
        flatpak="net.pcsx2.PCSX2",
        arguments="-batch -fullscreen -- {rom}",
    ),
    "ppsspp": Emulator(
        title="PPSSPP",
        programs="PPSSPPSDL PPSSPPQt ppsspp",
        flatpak="org.ppsspp.PPSSPP",
        arguments="--fullscreen {rom}",
    ),
    "retroarch": Emulator(
        title="RetroArch",
        programs="retroarch",
        flatpak="org.libretro.RetroArch",
        arguments="-f -L {core} {rom}",
    ),
    "snes9x": Emulator(title="Snes9x", programs="snes9x-gtk snes9x", flatpak="com.snes9x.Snes9x"),
}

_SYSTEMS = (
    System(
        name="arcade",
        title="Arcade",
        suffixes=_ARCHIVES,
        emulators="mame retroarch",
        cores="fbneo mame mame2003_plus",
        aliases="mame fbneo",
    ),
    System(
        name="atari2600",
        title="Atari 2600",
        suffixes=f"a26 bin {_ARCHIVES}",
        emulators="retroarch",
        cores="stella stella2014",
    ),
    System(
        name="dreamcast",
        title="Dreamcast",
        suffixes=f"cdi gdi {_DISCS}",
        emulators="retroarch",
        cores="flycast",
        aliases="dc",
    ),
    System(
        name="gamegear",
        title="Game Gear",
        suffixes=f"gg {_ARCHIVES}",
        emulators="retroarch",
        cores="genesis_plus_gx gearsystem",
    ),
    System(
        name="gb",
        title="Game Boy",
        suffixes=f"gb {_ARCHIVES}",
        emulators="retroarch mgba",
        cores="gambatte sameboy mgba",
    ),
    System(
        name="gba",
        title="Game Boy Advance",
        suffixes=f"gba {_ARCHIVES}",
        emulators="mgba retroarch",
        cores="mgba",
    ),
    System(
        name="gbc",
        title="Game Boy Color",
        suffixes=f"gb gbc {_ARCHIVES}",
        emulators="retroarch mgba",
        cores="gambatte sameboy mgba",
    ),
    System(
        name="gc",
        title="GameCube",
        suffixes="ciso dol elf gcm gcz iso m3u rvz wia",
        emulators="dolphin retroarch",
        cores="dolphin",
        aliases="gamecube ngc",
    ),
    System(
        name="genesis",
        title="Mega Drive",
        suffixes=f"bin gen md smd {_ARCHIVES}",
        emulators="retroarch",
        cores="genesis_plus_gx picodrive",
        aliases="megadrive",
    ),
    System(
        name="mastersystem",
        title="Master System",
        suffixes=f"sms {_ARCHIVES}",
        emulators="retroarch",
        cores="genesis_plus_gx gearsystem",
    ),
    System(
        name="n64",
        title="Nintendo 64",
        suffixes=f"n64 v64 z64 {_ARCHIVES}",
        emulators="retroarch",
        cores="mupen64plus_next parallel_n64",
    ),
    System(
        name="nds",
        title="Nintendo DS",
        suffixes=f"nds {_ARCHIVES}",
        emulators="melonds retroarch",
        cores="melondsds melonds desmume",
        aliases="ds",
    ),
    System(
        name="nes",
        title="NES",
        suffixes=f"fds nes unf unif {_ARCHIVES}",
        emulators="retroarch",
        cores="mesen nestopia fceumm",
        aliases="famicom",
    ),
    System(
        name="pcengine",
        title="PC Engine",
        suffixes=f"pce {_DISCS} {_ARCHIVES}",
        emulators="retroarch",
        cores="mednafen_pce mednafen_pce_fast",
        aliases="pcenginecd tg16",
    ),
    System(
        name="ps2",
        title="PlayStation 2",
        suffixes=f"bin cso gz img zso {_DISCS}",
        emulators="pcsx2 retroarch",
        cores="pcsx2",
    ),
    System(
        name="psp",
        title="PlayStation Portable",
        suffixes="chd cso elf iso pbp",
        emulators="ppsspp retroarch",
        cores="ppsspp",
    ),
    System(
        name="psx",
        title="PlayStation",
        suffixes=f"bin ccd ecm img mds pbp {_DISCS}",
        emulators="duckstation retroarch",
        cores="mednafen_psx_hw mednafen_psx swanstation pcsx_rearmed",
        aliases="ps1",
    ),
    System(
        name="saturn",
        title="Saturn",
        suffixes=f"ccd mds {_DISCS}",
        emulators="retroarch",
        cores="mednafen_saturn kronos yabasanshiro",
    ),
    System(
        name="segacd",
        title="Mega-CD",
        suffixes=_DISCS,
        emulators="retroarch",
        cores="genesis_plus_gx picodrive",
        aliases="megacd",
    ),
    System(
        name="snes",
        title="Super Nintendo",
        suffixes=f"bs fig sfc smc swc {_ARCHIVES}",
        emulators="retroarch snes9x",
        cores="snes9x bsnes",
        aliases="sfc superfamicom",
    ),
    System(
        name="wii",
        title="Wii",
        suffixes="ciso dol elf gcz iso m3u rvz wad wbfs wia",
        emulators="dolphin retroarch",
        cores="dolphin",
    ),
)

SYSTEMS = {name: system for system in _SYSTEMS for name in (system.name, *system.aliases)}


def system_named(name: str) -> System | None:
    """Find a system; one that is not known by name is made. None when it is no name at all."""
    name = name.strip().lower()
    if not _NAME.fullmatch(name):
        return None
    return SYSTEMS.get(name) or System(name=name, title=name)
