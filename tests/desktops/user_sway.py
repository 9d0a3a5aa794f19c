"""A sway that somebody runs already, with an output and a workspace of their own."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from punktfunk_capture_wlroots.ipc import SwayIpc
from punktfunk_capture_wlroots.probe import NOT_ROOT, needs_namespace

SWAYS = ("installed", "trixie", "sid")
"""The machine's own sway, and those of other Debians, see README.md."""

START_S = 30.0
_IN_CHROOT = Path(__file__).with_name("in_chroot.sh")
_CONFIG = """
xwayland disable
swaybg_command -
output HEADLESS-1 mode --custom 800x600@60Hz
workspace "1: the user's"
"""


def sway_program(which: str, scratch: Path) -> str:
    """Name or path of a sway out of `SWAYS`. Skips the test where there is none.

    Args:
        scratch: Where a small program that starts it may be written.
    """
    if which == "installed":
        return os.environ.get("PUNKTFUNK_SWAY", "sway")
    return program_in_chroot(which, "sway", scratch)


def program_in_chroot(suite: str, name: str, scratch: Path) -> str:
    """Path of a program that starts one of another Debian. Skips the test where there is none."""
    if os.environ.get("PUNKTFUNK_DESKTOPS") != "1":
        pytest.skip(f"the {name} of another Debian: ./dev test --desktops")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get("PUNKTFUNK_CHROOTS") or cache / "punktfunk-chroots") / suite
    ready = (folder / ".ready").exists() and (folder / "usr" / "bin" / name).exists()
    if os.geteuid() != 0 or not ready:
        pytest.skip(f"no {name} for root in {folder}, see tests/desktops/README.md")
    program = scratch / f"{name}-{suite}"
    program.write_text(f'#!/bin/sh\nexec "{_IN_CHROOT}" "{folder}" {name} "$@"\n')
    program.chmod(0o755)
    return str(program)


class UserSway:
    """Use it in a `with` statement. Nothing of it says where it is but its runtime folder.

    Args:
        runtime: Its runtime folder; one is made when none is given.

    Attributes:
        looked: What it looked like in the beginning.
    """

    def __init__(self, sway: str, runtime: Path | None = None) -> None:
        # Not below pytest's folder: a socket's path may only have 107 bytes.
        self.runtime = runtime or Path(tempfile.mkdtemp(prefix="pf-user-"))
        (self.runtime / "config").write_text(_CONFIG)
        self._sway = sway
        self.programs: list[subprocess.Popen[bytes]] = []
        self.compositor = self._start_sway()
        self.looked = self.looks()

    def __enter__(self) -> "UserSway":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()
        shutil.rmtree(self.runtime, ignore_errors=True)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.runtime),
            "XDG_RUNTIME_DIR": str(self.runtime),
        }

    @property
    def makes_outputs(self) -> bool:
        try:
            self.tell("output none unplug")
        except AssertionError as error:
            return "subcommand" not in str(error)
        return True

    def restart(self) -> None:
        self.stop()
        self.compositor = self._start_sway()

    def stop(self) -> None:
        while self.programs:
            self.stop_newest()

    def stop_newest(self) -> None:
        """Stop the program that was started last."""
        program = self.programs.pop()
        program.kill()
        program.wait()

    def tell(self, command: str) -> None:
        for answer in self._ask(lambda ipc: ipc._ask(0, command)):
            assert answer["success"], answer

    def outputs(self) -> dict[str, dict[str, Any]]:
        return {each["name"]: each for each in self._ask(SwayIpc.outputs)}

    def looks(self) -> list[dict[str, Any]]:
        """What a user sees of the outputs and workspaces."""
        shown = ("name", "active", "rect", "current_mode", "current_workspace", "focused")
        outputs = [{key: each[key] for key in shown} for each in self.outputs().values()]
        workspaces = self._ask(SwayIpc.workspaces)
        told = ("name", "output", "focused", "visible", "focus")
        return outputs + [{key: each[key] for key in told} for each in workspaces]

    def _start_sway(self) -> subprocess.Popen[bytes]:
        argv = [self._sway, "--config", str(self.runtime / "config")]
        if needs_namespace(self._sway, os.environ["PATH"]):
            argv = [*NOT_ROOT, *argv]
        headless = {
            "WLR_BACKENDS": "headless",
            "WLR_RENDERER": "pixman",
            "WLR_LIBINPUT_NO_DEVICES": "1",
        }
        with (self.runtime / "sway.log").open("ab") as log:
            program = subprocess.Popen(
                argv, env={**self.environment, **headless}, stdout=log, stderr=log
            )
        self.programs.append(program)
        self.compositor = program
        deadline = time.monotonic() + START_S
        while not self._is_up():
            assert time.monotonic() < deadline, (self.runtime / "sway.log").read_text()
            time.sleep(0.02)
        return program

    def _is_up(self) -> bool:
        try:
            return self.outputs()["HEADLESS-1"]["current_mode"]["width"] == 800
        except (OSError, KeyError, StopIteration):
            return False

    def _ask(self, question: Callable[[SwayIpc], Any]) -> Any:
        path = next(self.runtime.glob(f"sway-ipc.*.{self.compositor.pid}.sock"))
        ipc = SwayIpc(path, timeout_s=20)
        try:
            return question(ipc)
        finally:
            ipc.close()
