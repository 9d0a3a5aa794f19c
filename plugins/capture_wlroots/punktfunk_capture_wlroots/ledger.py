"""Outputs that we made on somebody's desktop: written down, found again, taken back."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

import attrs

from punktfunk.plugin import DriverFailed, Effect
from punktfunk_capture_wlroots.hyprland import HyprlandOutputs
from punktfunk_capture_wlroots.outputs import Control, Screen
from punktfunk_capture_wlroots.sockets import listener
from punktfunk_capture_wlroots.sway_outputs import SwayOutputs

EFFECT = "wlroots.output"

ANSWER_S = 3.0
_SWAY, _HYPRLAND = "sway", "hyprland"
_LOCK_S = 5.0
_GONE_S = 3.0
_POLL_S = 0.01


@attrs.frozen
class Found:
    """A compositor's control socket, open.

    Attributes:
        language: That it speaks: `sway` or `hyprland`.
    """

    language: str
    path: Path
    control: Control


def find_control(
    pid: int, runtime_dir: Path, named: str = "", timeout_s: float = ANSWER_S
) -> Found | None:
    """Find the control socket of a compositor; None where it has none that we know.

    Args:
        named: What the user's environment calls sway's socket; may be empty or out of date.
    """
    sockets = [(_SWAY, Path(named))] if named else []
    sockets += [(_SWAY, path) for path in sorted(runtime_dir.glob("sway-ipc.*.sock"))]
    sockets += [(_HYPRLAND, path) for path in sorted(runtime_dir.glob("hypr/*/.socket.sock"))]
    for language, path in sockets:
        control = _open(language, path, pid, timeout_s)
        if control is not None:
            return Found(language, path, control)
    return None


def output_effect(found: Found, pid: int, name: str, screens: list[Screen]) -> Effect:
    """What to write down before an output is made.

    Args:
        pid: The compositor.
        name: Empty as long as nobody knows.
        screens: Before anything is made.
    """
    return Effect(
        kind=EFFECT,
        until_reboot=True,
        data={
            "language": found.language,
            "control": str(found.path),
            "pid": pid,
            "output": name,
            "before": " ".join(screen.name for screen in screens),
            "focus": next((screen.name for screen in screens if screen.focused), ""),
        },
    )


def undo_output(effect: Effect) -> bool:
    """Remove the output of an effect and give the focus back. True when it is gone.

    A compositor that ended took its outputs along; what listens in its place is not asked.
    """
    words = effect.data
    path, pid = Path(str(words.get("control", ""))), words.get("pid")
    control = _open(str(words.get("language", "")), path, pid, ANSWER_S)
    if control is None:
        return True
    try:
        with one_at_a_time(path.parent):
            return _remove(control, words)
    except DriverFailed:
        return False
    finally:
        control.close()


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Two sessions must not make an output at once: sway does not say which is whose."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    deadline = time.monotonic() + _LOCK_S
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise DriverFailed("another session does not finish its output") from None
            time.sleep(_POLL_S)
        yield
    finally:
        os.close(descriptor)


def _remove(control: Control, words: dict[str, str | int]) -> bool:
    name, before = str(words.get("output", "")), str(words.get("before", "")).split()
    screens = {screen.name: screen for screen in control.screens()}
    if not name:
        # Written down, perhaps made, and not named any more: only the first new one that
        # nobody uses can be it.
        vacant = [s.name for s in screens.values() if s.vacant and s.name not in before]
        name = min(vacant, key=lambda each: (len(each), each), default="")
    if name not in screens or name in before:
        return True
    focus = str(words.get("focus", ""))
    if screens[name].focused and focus in screens:
        control.focus(focus)
    control.remove(name)
    deadline = time.monotonic() + _GONE_S
    while any(screen.name == name for screen in control.screens()):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _open(language: str, path: Path, pid: object, timeout_s: float) -> Control | None:
    """None unless this very process listens there."""
    found = listener(path, timeout_s)
    if found is None or found.pid != pid:
        return None
    if language == _HYPRLAND:
        return HyprlandOutputs(path, timeout_s)
    try:
        return SwayOutputs(path, timeout_s)
    except OSError:
        return None
