"""The gamescope program: where it is, which one it is, and what it is started with."""

import re
import shutil
import subprocess

import attrs

from punktfunk.plugin import DriverUnavailable, VideoMode
from punktfunk_capture_gamescope.settings import DRIVER, GamescopeSettings

OLD_HINT = "install gamescope 3.15 or newer; Debian's is too old"

POINTER_FLAG = "pipewire-composite-cursor"
"""Newer ones draw the pointer into the picture where this says so."""

_ELSEWHERE = ("/usr/games", "/usr/local/games")
"""Where distributions put games, which is not in everybody's PATH."""
_MOST_HELP_BYTES = 65_536
_VERSION = re.compile(r"gamescope version\s+v?(\d+(?:\.\d+)+)")
_FLAG = re.compile(r"(?<![\w-])--([a-z][a-z0-9-]*)")


@attrs.frozen
class Gamescope:
    """An installed gamescope, and what it says of itself.

    Attributes:
        version: Such as `3.16.4`; empty where it does not say.
        flags: The long ones, without dashes.
        has_headless: It can run without a screen.
    """

    path: str
    version: str
    flags: frozenset[str]
    has_headless: bool

    @property
    def draws_pointer(self) -> bool:
        return POINTER_FLAG in self.flags

    @property
    def title(self) -> str:
        return f"gamescope {self.version or 'of unknown version'}"


def find(name: str, path: str | None, timeout_s: float) -> Gamescope | None:
    """Ask the installed gamescope what it can; None where there is none.

    Raises:
        DriverUnavailable: it does not run.
    """
    program = shutil.which(name, path=":".join(filter(None, (path, *_ELSEWHERE))))
    if program is None:
        return None
    try:
        answer = subprocess.run(
            [program, "--help"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DriverUnavailable(
            DRIVER, f"{program} does not run: {error}", hint="reinstall gamescope"
        ) from error
    said = answer.stdout[:_MOST_HELP_BYTES].decode(errors="replace")
    version = _VERSION.search(said)
    flags = frozenset(_FLAG.findall(said))
    return Gamescope(
        path=program,
        version=version[1] if version else "",
        flags=flags,
        has_headless="headless" in flags or ("backend" in flags and "headless" in said),
    )


def lacking(gamescope: Gamescope) -> str:
    """What this version has not got and we cannot do without; empty if nothing."""
    if not gamescope.has_headless:
        return "it has no headless backend, only windows and screens"
    missing = sorted({"ready-fd", "output-width", "nested-refresh"} - gamescope.flags)
    return f"it has no --{missing[0]}" if missing else ""


def command_line(
    gamescope: Gamescope, mode: VideoMode, ready: str, wishes: GamescopeSettings
) -> tuple[list[str], list[str]]:
    """The arguments to start it with, and the wished-for flags that this version has not got.

    Args:
        ready: Path of the pipe that gamescope writes its displays' names to.
    """
    width, height, rate = str(mode.width_px), str(mode.height_px), f"{mode.refresh_hz:.0f}"
    backend = ["--backend", "headless"] if "backend" in gamescope.flags else ["--headless"]
    argv = [gamescope.path, *backend, "-W", width, "-H", height, "-w", width, "-h", height]
    argv += ["-r", rate, "-R", ready]
    wanted = {
        "xwayland-count": str(wishes.xwayland_count) if wishes.xwayland_count > 1 else None,
        "framerate-limit": str(wishes.framerate_limit) if wishes.framerate_limit else None,
        "steam": "" if wishes.steam else None,
        "expose-wayland": "" if wishes.wayland else None,
        POINTER_FLAG: "" if gamescope.draws_pointer else None,
    }
    unknown = []
    for flag, value in wanted.items():
        if value is not None and flag not in gamescope.flags:
            unknown.append(f"--{flag}")
        elif value is not None:
            argv += [f"--{flag}", value] if value else [f"--{flag}"]
    return [*argv, *wishes.arguments], unknown
