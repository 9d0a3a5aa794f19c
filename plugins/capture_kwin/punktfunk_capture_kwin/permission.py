"""How KWin is told that we may see and steer: a desktop file that names our interpreter.

`python -m punktfunk_capture_kwin.permission` writes it for the user who runs it.
"""

import os
import sys
from pathlib import Path

INTERFACES = (
    "zkde_screencast_unstable_v1",
    "org_kde_kwin_fake_input",
    "org_kde_plasma_window_management",
)
FILE_NAME = "punktfunk-kwin.desktop"
HINT = (
    "run `python -m punktfunk_capture_kwin.permission` with the host's own Python as the user "
    "of the Plasma session, then log in anew"
)


def desktop_file() -> str:
    """KWin looks up who asks by the path of the program, which is the interpreter's."""
    return (
        "[Desktop Entry]\nType=Application\nName=punktfunk\nNoDisplay=true\n"
        f"Exec={Path(sys.executable).resolve()}\n"
        f"X-KDE-Wayland-Interfaces={','.join(INTERFACES)}\n"
    )


def install() -> Path:
    """Write the file into the user's own folder of programs."""
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    path = Path(data) / "applications" / FILE_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(desktop_file())
    return path


if __name__ == "__main__":
    print(f"wrote {install()}; KWin reads it at the next login")
