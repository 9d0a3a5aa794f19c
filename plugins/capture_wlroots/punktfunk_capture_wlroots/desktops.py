"""The desktop that the user already runs."""

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs

from punktfunk.plugin import DriverFailed, DriverUnavailable
from punktfunk_capture_wlroots.ext_protocols import CopyManager, OutputSourceManager
from punktfunk_capture_wlroots.protocols import (
    ScreencopyManager,
    VirtualKeyboardManager,
    VirtualPointerManager,
)
from punktfunk_capture_wlroots.sockets import listener
from punktfunk_capture_wlroots.wayland import Connection

MAX_SOCKETS = 8
_ANSWER_S = 0.5
_SEARCH_S = 1.0
"""Together, should several of them hang."""


@attrs.frozen
class RunningDesktop:
    """A compositor of this user that can be shown and steered.

    Attributes:
        name: Of its program, such as `sway`.
        runtime_dir: Where its sockets are.
        socket: Of Wayland, by name or path.
    """

    name: str
    pid: int
    runtime_dir: Path
    socket: str

    @property
    def environment(self) -> dict[str, str]:
        return {"XDG_RUNTIME_DIR": str(self.runtime_dir), "WAYLAND_DISPLAY": self.socket}


def running_desktop(environment: Mapping[str, str]) -> RunningDesktop:
    """Find the desktop of whoever `environment` belongs to.

    A host that is a service has no `WAYLAND_DISPLAY`, so every socket of the user is asked.

    Raises:
        DriverUnavailable: there is none, or none that lets us in.
    """
    folder = environment.get("XDG_RUNTIME_DIR", "")
    refused, deadline = "", time.monotonic() + _SEARCH_S
    for path in _sockets(Path(folder), environment.get("WAYLAND_DISPLAY", "")) if folder else ():
        if time.monotonic() > deadline:
            break
        found = listener(path, _ANSWER_S)
        if found is None or found.uid != os.geteuid():
            continue
        name = path.name if path.parent == Path(folder) else str(path)
        desktop = RunningDesktop(_program(found.pid), found.pid, Path(folder), name)
        missing = _missing(desktop)
        if missing is None:
            continue
        if not missing:
            return desktop
        refused = refused or f"{desktop.name} runs, but has no {' and no '.join(missing)}"
    if refused:
        raise DriverUnavailable(
            "wlroots", refused, hint="allow these protocols in its configuration, or update it"
        )
    raise DriverUnavailable(
        "wlroots",
        "no wlroots desktop runs for this user",
        hint="log in to sway, Hyprland, labwc or another wlroots desktop",
    )


def _sockets(folder: Path, wanted: str) -> Iterator[Path]:
    """The one that is named, before all others."""
    named = folder / wanted if wanted else None
    if named is not None:
        yield named
    others = sorted(path for path in folder.glob("wayland-*") if path.is_socket())
    yield from (path for path in others[:MAX_SOCKETS] if path != named)


def _missing(desktop: RunningDesktop) -> list[str] | None:
    """What it lacks of what we need; None when it is no desktop of this kind."""
    try:
        connection = Connection(desktop.environment, _ANSWER_S)
    except DriverFailed:
        return None
    try:
        copies = connection.has(CopyManager, OutputSourceManager)
        if not copies and not connection.has(ScreencopyManager):
            return None
        needed = (VirtualPointerManager, VirtualKeyboardManager)
        return [each.name for each in needed if not connection.has(each)]
    finally:
        connection.close()


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:  # it ended while we looked, or is in a container
        return "a compositor"
