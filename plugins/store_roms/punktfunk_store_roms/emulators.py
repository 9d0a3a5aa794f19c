"""Which of the known emulators are here, and how a system's games are started with them."""

import os
import shlex
import shutil
from pathlib import Path

from punktfunk.plugin import HostFacts
from punktfunk_store_roms.scanning import is_file, is_folder
from punktfunk_store_roms.systems import EMULATORS, Emulator, System
from punktfunk_store_roms.templates import Template

_CORE_FOLDERS = (
    "/usr/lib/libretro",
    "/usr/lib64/libretro",
    "/usr/lib/x86_64-linux-gnu/libretro",
    "/usr/lib/aarch64-linux-gnu/libretro",
    "/usr/local/lib/libretro",
)
_FLATPAK_APPS = "/var/lib/flatpak/app"


def find_template(system: System, host: HostFacts) -> Template | None:
    """Return how to start the system's games with the first emulator that is here."""
    for name in system.emulators:
        emulator = EMULATORS[name]
        for command, is_flatpak in _commands(emulator, host):
            core = _find_core(system, emulator, host, is_flatpak=is_flatpak)
            if core is not None:
                words = (*command, *shlex.split(emulator.arguments))
                return Template(words, core)
    return None


def what_is_missing(system: System, host: HostFacts) -> tuple[str, str]:
    """Say why there is no emulator for a system, and what to do about it."""
    if not system.emulators:
        return "no emulator is known for it", f'set emulators = ["{system.name}=PROGRAM {{rom}}"]'
    titles = " or ".join(EMULATORS[name].title for name in system.emulators)
    here = [name for name in system.emulators if any(_commands(EMULATORS[name], host))]
    if here:  # it was not taken, so it lacks a core
        return f"RetroArch has no core for it ({', '.join(system.cores)})", "install a core"
    return "no emulator was found", f"install {titles}, or set emulators"


def is_program(name: str, host: HostFacts) -> bool:
    """Say whether a program can be found on the host's PATH, or at its own."""
    return shutil.which(name, path=host.environment.get("PATH", os.defpath)) is not None


def _commands(emulator: Emulator, host: HostFacts) -> list[tuple[tuple[str, ...], bool]]:
    """List the argvs that would start it, and whether that is a Flatpak."""
    found: list[tuple[tuple[str, ...], bool]] = [
        ((name,), False) for name in emulator.programs if is_program(name, host)
    ]
    if emulator.flatpak and is_program("flatpak", host):
        folders = [Path(_FLATPAK_APPS), *_below_home(host, ".local/share/flatpak/app")]
        if any(is_folder(folder / emulator.flatpak) for folder in folders):
            found.append((("flatpak", "run", emulator.flatpak), True))
    return found


def _find_core(
    system: System, emulator: Emulator, host: HostFacts, *, is_flatpak: bool
) -> str | None:
    """Return the path of a libretro core; empty where none is needed, None when there is none."""
    if "{core}" not in emulator.arguments:
        return ""
    if is_flatpak:
        folders = _below_home(host, f".var/app/{emulator.flatpak}/config/retroarch/cores")
    else:
        folders = [*_below_home(host, ".config/retroarch/cores"), *map(Path, _CORE_FOLDERS)]
    paths = [folder / f"{core}_libretro.so" for core in system.cores for folder in folders]
    return next((str(path) for path in paths if is_file(path)), None)


def _below_home(host: HostFacts, path: str) -> list[Path]:
    home = Path(host.environment.get("HOME", ""))
    return [home / path] if home.is_absolute() else []
