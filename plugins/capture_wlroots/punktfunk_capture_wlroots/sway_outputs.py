"""Outputs of a running sway."""

import time
from pathlib import Path
from typing import Any

from punktfunk.plugin import DriverFailed, VideoMode
from punktfunk_capture_wlroots.ipc import SwayIpc
from punktfunk_capture_wlroots.outputs import WORKSPACE, Screen
from punktfunk_capture_wlroots.sway_config import output_mode

CREATE_S = 5.0
_POLL_S = 0.005
_UNKNOWN_COMMAND = "subcommand"
_VIRTUAL = ("HEADLESS-", "WL-", "X11-")
"""Names of outputs that a program asked for: in a nested sway they are windows."""


class SwayOutputs:
    """Implements `outputs.Control`.

    Raises:
        OSError: from the constructor: nobody listens.
    """

    def __init__(self, control: Path, timeout_s: float) -> None:
        self._ipc = SwayIpc(control, timeout_s)

    @property
    def makes_outputs(self) -> bool:
        """Older ones make outputs, but never take one away."""
        try:
            self._ipc.command(f"output {WORKSPACE}none unplug")
        except DriverFailed as error:
            return _UNKNOWN_COMMAND not in str(error)
        return True

    def screens(self) -> list[Screen]:
        workspaces = {each["name"]: each for each in self._ipc.workspaces()}
        return [
            _screen(each, workspaces.get(each.get("current_workspace")))
            for each in self._ipc.outputs()
        ]

    def planned_name(self, wish: str) -> str:
        return ""

    def create(self, wish: str) -> str:
        before = {screen.name for screen in self.screens()}
        self._ipc.command("create_output")
        deadline = time.monotonic() + CREATE_S
        while True:
            made = [s.name for s in self.screens() if s.name not in before]
            if made:
                return made[0]
            if time.monotonic() > deadline:
                raise DriverFailed("sway makes no output")
            time.sleep(_POLL_S)

    def set_mode(self, name: str, mode: VideoMode) -> None:
        self._ipc.command(f'output "{name}" {output_mode(mode)} scale 1 transform normal')

    def show(self, name: str, workspace: str) -> None:
        self.focus(name)
        self._ipc.command(f'workspace "{workspace}"')

    def focus(self, name: str) -> None:
        self._ipc.command(f'focus output "{name}"')

    def remove(self, name: str) -> None:
        self._ipc.command(f'output "{name}" unplug')

    def close(self) -> None:
        self._ipc.close()


def _screen(output: dict[str, Any], workspace: dict[str, Any] | None) -> Screen:
    name, mode = str(output["name"]), output.get("current_mode") or {}
    claimed = str(output.get("current_workspace") or "").startswith(WORKSPACE)
    return Screen(
        name=name,
        width_px=mode.get("width", 0),
        height_px=mode.get("height", 0),
        focused=bool(output.get("focused")),
        vacant=name.startswith(_VIRTUAL)
        and not claimed
        and not (workspace and workspace.get("focus")),
    )
