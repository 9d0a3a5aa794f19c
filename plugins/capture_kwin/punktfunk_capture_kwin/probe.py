"""Is what the drivers need on this machine? Starts no compositor."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from punktfunk.plugin import Availability, DriverFailed, DriverUnavailable, pipewire_availability
from punktfunk_capture_kwin.own import version_of
from punktfunk_capture_kwin.permission import HINT as PERMISSION_HINT
from punktfunk_capture_kwin.session import running_session

OLDEST = (5, 27)
FIRST_WITHOUT_SOFTWARE_PICTURES = (6, 0)
KWIN_HINT = "apt install kwin-wayland kwin-common"
PIPEWIRE_HINT = "apt install pipewire wireplumber"


def render_nodes() -> tuple[str, ...]:
    """Those that we may open."""
    nodes = sorted(Path("/dev/dri").glob("renderD*"))
    return tuple(str(node) for node in nodes if os.access(node, os.R_OK | os.W_OK))


def own_availability(kwin: str, path: str | None, nodes: Sequence[str]) -> Availability:
    """Say whether a headless KWin can be started and seen, given the usable render nodes."""
    program = shutil.which(kwin, path=path)
    if program is None:
        return Availability.no(f"{kwin} is not installed", hint=KWIN_HINT)
    library = pipewire_availability()
    if not library.available:
        return library
    missing = [name for name in ("pipewire", "wireplumber") if not shutil.which(name, path=path)]
    if missing:
        return Availability.no(f"{' and '.join(missing)} not installed", hint=PIPEWIRE_HINT)
    try:
        version = version_of(program)
    except DriverUnavailable as error:
        return Availability.no(error.reason, hint=error.hint)
    name = "KWin {}.{}".format(*version) if version != (0, 0) else "KWin of unknown version"
    if (0, 0) < version < OLDEST:
        return Availability.no(f"{name} is too old", hint="use KWin {}.{} or newer".format(*OLDEST))
    if version < FIRST_WITHOUT_SOFTWARE_PICTURES:
        return Availability.yes(f"{name}: shows the window in front, not the whole screen")
    if not nodes:
        return Availability.no(
            f"{name} streams only pictures that a GPU has drawn, and no render node can be opened",
            hint="add yourself to the group `render`, or use the wlroots plugin",
        )
    return Availability.yes(name)


def attach_availability(environment: Mapping[str, str]) -> Availability:
    """Say whether the running Plasma session lets us see and steer it."""
    library = pipewire_availability()
    if not library.available:
        return library
    session = running_session(environment)
    if session is None:
        return Availability.no(
            "no Plasma session on Wayland runs for this user",
            hint="log in to Plasma (Wayland)",
        )
    from punktfunk_capture_kwin.attach import refusal  # it loads pywayland

    try:
        missing = refusal(session)
    except DriverFailed as error:
        return Availability.no(f"KWin runs but does not answer: {error}", hint="log in anew")
    if missing:
        return Availability.no(
            f"KWin runs but does not let us use {' and '.join(missing)}", hint=PERMISSION_HINT
        )
    return Availability.yes("the running Plasma session")
