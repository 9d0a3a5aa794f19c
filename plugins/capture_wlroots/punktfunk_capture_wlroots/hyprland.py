"""Outputs of a running Hyprland, over the socket that hyprctl uses."""

import json
import socket
from pathlib import Path
from typing import Any

from punktfunk.plugin import DriverFailed, VideoMode
from punktfunk_capture_wlroots.outputs import Screen

MAX_ANSWER_BYTES = 4 << 20


class HyprlandOutputs:
    """Implements `outputs.Control`. A connection is for one question: it stops the others."""

    makes_outputs = True

    def __init__(self, control: Path, timeout_s: float) -> None:
        self._control, self._timeout_s = control, timeout_s

    def screens(self) -> list[Screen]:
        answer = self._ask("j/monitors")
        try:
            monitors: list[dict[str, Any]] = json.loads(answer)
            return [
                Screen(
                    name=str(each["name"]),
                    width_px=int(each["width"]),
                    height_px=int(each["height"]),
                    focused=bool(each["focused"]),
                )
                for each in monitors
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise DriverFailed("Hyprland's answer makes no sense") from error

    def planned_name(self, wish: str) -> str:
        return wish

    def create(self, wish: str) -> str:
        self._tell(f"output create headless {wish}")
        return wish

    def set_mode(self, name: str, mode: VideoMode) -> None:
        size = f"{mode.width_px}x{mode.height_px}@{mode.refresh_mhz / 1_000:.3f}"
        self._tell(
            f"keyword monitor {name},{size},auto,1",
            f'eval hl.monitor({{ output = "{name}", mode = "{size}", '
            f'position = "auto", scale = 1 }})',
        )

    def show(self, name: str, workspace: str) -> None:
        """A new output has an empty workspace already."""
        self.focus(name)

    def focus(self, name: str) -> None:
        self._tell(
            f"dispatch focusmonitor {name}",
            f'dispatch hl.dsp.focus({{ monitor = "{name}" }})',
        )

    def remove(self, name: str) -> None:
        self._tell(f"output remove {name}")

    def close(self) -> None:
        """There is nothing to close."""

    def _tell(self, *ways: str) -> None:
        """Say the first of these that it understands: its language changed with 0.55."""
        answers = []
        for words in ways:
            answer = self._ask(words).strip()
            if answer == "ok":
                return
            answers.append(answer)
        raise DriverFailed(f"Hyprland refused: {answers[0] or 'no reason given'}")

    def _ask(self, words: str) -> str:
        answer = bytearray()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(self._timeout_s)
                connection.connect(str(self._control))
                connection.sendall(words.encode())
                while part := connection.recv(65_536):
                    answer += part
                    if len(answer) > MAX_ANSWER_BYTES:
                        raise DriverFailed("Hyprland's answer makes no sense")
        except OSError as error:
            raise DriverFailed(f"Hyprland does not answer: {error}") from error
        return answer.decode(errors="replace")
