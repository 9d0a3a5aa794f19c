"""Is what the drivers need on this machine? Starts no gamescope but to ask for its options."""

import functools
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from punktfunk.plugin import Availability, DriverFailed, DriverUnavailable, pipewire_availability
from punktfunk_capture_gamescope import eis, vulkan
from punktfunk_capture_gamescope.nodes import PROGRAM as PW_DUMP
from punktfunk_capture_gamescope.program import OLD_HINT, find, lacking
from punktfunk_capture_gamescope.running import running_gamescope
from punktfunk_capture_gamescope.settings import GamescopeSettings

PROBE_S = 2.0
"""For gamescope's answer; a probe has three seconds in all."""
INSTALL_HINT = "install gamescope 3.15 or newer from your distribution"
PIPEWIRE_HINT = "apt install pipewire pipewire-bin wireplumber"
GPU_HINT = "add yourself to the group `render`; without a GPU use the wlroots plugin"
VULKAN_HINT = "install the GPU's Vulkan driver: apt install mesa-vulkan-drivers"


def render_nodes() -> tuple[str, ...]:
    """Those that we may open."""
    nodes = sorted(Path("/dev/dri").glob("renderD*"))
    return tuple(str(node) for node in nodes if os.access(node, os.R_OK | os.W_OK))


@functools.lru_cache
def own_availability(
    wishes: GamescopeSettings, path: str | None, render_nodes: tuple[str, ...]
) -> Availability:
    """Say whether a gamescope of a session's own can be started, seen and steered.

    Looked up once a process: three offers ask.
    """
    started = start_availability(wishes, path, render_nodes, PROBE_S)
    return started if not started.available or eis.is_installed() else _no_input()


def start_availability(
    wishes: GamescopeSettings, path: str | None, render_nodes: Sequence[str], timeout_s: float
) -> Availability:
    """Say whether one can be started and seen, given the render nodes we may open."""
    try:
        gamescope = find(wishes.gamescope, path, timeout_s)
    except DriverUnavailable as error:
        return Availability.no(error.reason, hint=error.hint)
    if gamescope is None:
        return Availability.no(f"{wishes.gamescope} is not installed", hint=INSTALL_HINT)
    lacks = lacking(gamescope)
    if lacks:
        reason = f"{gamescope.title} ({gamescope.path}) is too old: {lacks}"
        return Availability.no(reason, hint=OLD_HINT)
    found = _pictures(("pipewire", "wireplumber", PW_DUMP), path)
    if not found.available:
        return found
    if shutil.which("Xwayland", path=path) is None:
        return Availability.no("Xwayland is not installed", hint="apt install xwayland")
    if wishes.need_gpu:
        found = _gpu(gamescope.title, render_nodes)
    return found if not found.available else Availability.yes(gamescope.title)


def attach_availability(environment: Mapping[str, str], wishes: GamescopeSettings) -> Availability:
    """Say whether a gamescope runs already that lets itself be seen and steered."""
    found = _pictures((PW_DUMP,), environment.get("PATH"))
    if not found.available:
        return found
    try:
        running = running_gamescope(environment, wishes.display)
    except DriverUnavailable as error:
        return Availability.no(error.reason, hint=error.hint)
    except DriverFailed as error:
        return Availability.no(str(error), hint="see whether PipeWire runs: pw-cli info 0")
    if not eis.is_installed():
        return _no_input()
    if not (running.runtime / eis.socket_name(running.name)).is_socket():
        return Availability.no(
            f"{running.name} takes no input", hint="use a gamescope that is built with libeis"
        )
    return Availability.yes(running.name)


def _pictures(programs: Sequence[str], path: str | None) -> Availability:
    library = pipewire_availability()
    if not library.available:
        return library
    missing = [name for name in programs if not shutil.which(name, path=path)]
    if missing:
        return Availability.no(f"{' and '.join(missing)} not installed", hint=PIPEWIRE_HINT)
    return Availability.yes()


def _gpu(title: str, render_nodes: Sequence[str]) -> Availability:
    if not render_nodes:
        return Availability.no(
            f"{title} draws with a GPU, and no render node can be opened", hint=GPU_HINT
        )
    if not vulkan.hardware():
        return Availability.no(
            f"{title} draws with Vulkan, which finds no GPU here", hint=VULKAN_HINT
        )
    return Availability.yes()


def _no_input() -> Availability:
    return Availability.no(
        f"{eis.LIBRARY} is not installed, and gamescope takes input by nothing else",
        hint=eis.HINT,
    )
