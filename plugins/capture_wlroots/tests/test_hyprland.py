"""Hyprland's control socket as its documentation describes it: no real Hyprland runs here."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from punktfunk_capture_wlroots.hyprland import HyprlandOutputs
from punktfunk_capture_wlroots.ledger import find_control, output_effect, undo_output

from punktfunk.plugin import DriverFailed, VideoMode

MODE = VideoMode(width_px=1280, height_px=720, refresh_mhz=59_940)


class StandIn:
    """Answers one question a connection, and keeps monitors by name."""

    def __init__(self, path: Path, *, lua: bool) -> None:
        self.monitors, self.focused = {"eDP-1": (1920, 1080)}, "eDP-1"
        self.asked: list[str] = []
        self._lua = lua
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(path))
        self._server.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                words = connection.recv(4_096).decode()
                if words:
                    self.asked.append(words)
                    connection.sendall(self._answer(words).encode())

    def _answer(self, words: str) -> str:
        if words == "j/monitors":
            told = [
                {"name": name, "width": size[0], "height": size[1], "focused": name == self.focused}
                for name, size in self.monitors.items()
            ]
            return json.dumps(told)
        if words.startswith(("keyword", "dispatch focusmonitor")) and self._lua:
            return "not with lua"
        verb, name = words.split()[0], words.split()[-1]
        if words.startswith("output create headless "):
            self.monitors[name] = (1920, 1080)
        elif words.startswith("output remove "):
            if name not in self.monitors:
                return "no such monitor"
            del self.monitors[name]
        elif words.startswith("dispatch"):
            self.focused = words.split('"')[1] if self._lua else name
        elif verb not in ("keyword", "eval"):
            return "unknown request"
        return "ok"


@pytest.fixture(params=[False, True], ids=["hyprlang", "lua"])
def hyprland(request, tmp_path) -> Iterator[StandIn]:
    folder = tmp_path / "hypr" / "signature"
    folder.mkdir(parents=True)
    server = StandIn(folder / ".socket.sock", lua=request.param)
    yield server
    server.close()


@pytest.fixture
def outputs(hyprland, tmp_path) -> HyprlandOutputs:
    found = find_control(os.getpid(), tmp_path)
    assert isinstance(found.control, HyprlandOutputs)
    return found.control


def test_an_output_is_made_by_name_shown_and_removed(hyprland, outputs) -> None:
    assert outputs.makes_outputs
    name = outputs.create("punktfunk-pf-1")
    outputs.set_mode(name, MODE)
    outputs.show(name, "punktfunk-pf-1")

    assert {(s.name, s.focused) for s in outputs.screens()} == {
        ("eDP-1", False),
        ("punktfunk-pf-1", True),
    }
    assert any("1280x720@59.940" in words for words in hyprland.asked)
    outputs.remove(name)
    assert hyprland.monitors.keys() == {"eDP-1"}


def test_a_refusal_is_told_in_its_words(outputs) -> None:
    with pytest.raises(DriverFailed, match="no such monitor"):
        outputs.remove("punktfunk-pf-9")


def test_the_output_of_a_killed_session_is_removed_and_the_focus_given_back(
    hyprland, outputs, tmp_path
) -> None:
    found = find_control(os.getpid(), tmp_path)
    name = outputs.planned_name("punktfunk-pf-1")
    effect = output_effect(found, os.getpid(), name, outputs.screens())
    outputs.create(name)
    outputs.show(name, name)

    assert undo_output(effect)

    assert hyprland.monitors.keys() == {"eDP-1"}
    assert hyprland.focused == "eDP-1"
    assert undo_output(effect)


def test_what_makes_no_sense_is_a_failure(outputs, hyprland) -> None:
    hyprland.monitors = {"eDP-1": ("wide", "high")}

    with pytest.raises(DriverFailed, match="no sense"):
        outputs.screens()


def test_without_hyprland_there_is_no_control(tmp_path) -> None:
    assert find_control(os.getpid(), tmp_path) is None
