"""A headless KWin of the session's own: its program, its settings, its PipeWire."""

import errno
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from punktfunk.plugin import DriverUnavailable, VideoMode
from punktfunk_capture_kwin.settings import DRIVER, KwinSettings

_VERSION = re.compile(r"kwin (\d+)\.(\d+)")

# Every window gets the whole screen, and none a frame: there is no panel to get at them by.
_RULES = """\
[General]
count=1
rules=1

[1]
Description=punktfunk
maximizehoriz=true
maximizehorizrule=3
maximizevert=true
maximizevertrule=3
noborder=true
noborderrule=3
strictgeometry=false
strictgeometryrule=2
types=1
"""
# A new window comes to the front, whatever has the keyboard: nobody could fetch it otherwise.
_KWIN = """\
[Compositing]
LatencyPolicy=ExtremelyLow

[Windows]
FocusStealingPreventionLevel=0
"""
_LAYOUT = re.compile(r"(?P<layout>[A-Za-z0-9_,-]+)(?:\((?P<variant>[A-Za-z0-9_,-]+)\))?")


def runs_as_it_is(program: str) -> bool:
    """False where the kernel refuses the capability that the file carries."""
    try:
        with subprocess.Popen([program, "--help"], stdout=subprocess.DEVNULL) as started:
            started.kill()
    except OSError as error:
        return error.errno != errno.EPERM
    return True


def copy_without_capability(program: str, folder: Path) -> str:
    """KWin asks for a real-time priority it can do without; a copy of it does not ask."""
    copy = folder / "kwin_wayland"
    shutil.copyfile(program, copy)
    copy.chmod(0o700)
    return str(copy)


def version_of(program: str) -> tuple[int, int]:
    """Raise `DriverUnavailable` when it does not run, (0, 0) when it does not say."""
    with tempfile.TemporaryDirectory(prefix="punktfunk-") as folder:
        if not runs_as_it_is(program):
            program = copy_without_capability(program, Path(folder))
        try:
            answer = subprocess.run(
                [program, "--version"],
                env={**os.environ, "XDG_RUNTIME_DIR": folder},
                capture_output=True,
                text=True,
                timeout=2,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise DriverUnavailable(
                DRIVER, f"{program} does not run: {error}", hint="reinstall kwin-wayland"
            ) from error
    found = _VERSION.search(answer.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def write_config(folder: Path, layout: str) -> None:
    """KWin's own settings, apart from the user's.

    Raises:
        DriverUnavailable: that is no name of a layout.
    """
    found = _LAYOUT.fullmatch(layout)
    if found is None:
        raise DriverUnavailable(DRIVER, f"{layout!r} is not a keyboard layout")
    keyboard = (
        f"[Layout]\nUse=true\nLayoutList={found['layout']}\nVariantList={found['variant'] or ''}\n"
    )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in (("kwinrc", _KWIN), ("kwinrulesrc", _RULES), ("kxkbrc", keyboard)):
        (folder / name).write_text(text)


def command_line(
    program: str, mode: VideoMode, socket: str, wishes: KwinSettings, path: str | None
) -> list[str]:
    argv = [program, "--virtual", "--width", str(mode.width_px), "--height", str(mode.height_px)]
    argv += ["--no-lockscreen", "--no-global-shortcuts", "--no-kactivities", "--socket", socket]
    if wishes.xwayland and shutil.which("Xwayland", path=path) is not None:
        argv.append("--xwayland")
    return argv
