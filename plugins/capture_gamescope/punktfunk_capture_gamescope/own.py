"""A gamescope of the session's own: its files, its start, and what programs on it need."""

import logging
import os
import re
import select
import shutil
import time
from pathlib import Path

from punktfunk.plugin import (
    DriverFailed,
    DriverUnavailable,
    PipeWireServer,
    Seat,
    SeatProcess,
    VideoMode,
)
from punktfunk_capture_gamescope.eis import socket_name
from punktfunk_capture_gamescope.nodes import Node, gamescope_nodes
from punktfunk_capture_gamescope.program import Gamescope, command_line
from punktfunk_capture_gamescope.settings import DRIVER, GamescopeSettings

log = logging.getLogger(__name__)

START_S = 20.0
_POLL_S = 0.05
_MOST_BYTES = 4_096
_READY = re.compile(r"(:\d+) (gamescope-\d+)\s*\n")


class OwnGamescope:
    """Starts with `start`, which waits until there is a picture to be had.

    It runs without a program inside: the session's app is started beside it, as Steam is on a
    Steam Deck, so that the app's end is seen by whoever started it.

    Attributes:
        name: Of its Wayland socket.
        x_display: Of its first X server.
        node: Of its picture.
    """

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._folder = seat.runtime_dir / "gamescope"
        self._pipewire = PipeWireServer(seat)
        self._process: SeatProcess | None = None
        self.name = self.x_display = ""
        self.node: Node

    @property
    def pictures(self) -> Path:
        """Where the PipeWire is that its pictures come through."""
        return self._pipewire.runtime

    @property
    def limiter(self) -> Path:
        """The file in which Steam asks for a limit of the frame rate."""
        return self._folder / "limiter"

    def start(self, gamescope: Gamescope, mode: VideoMode, wishes: GamescopeSettings) -> None:
        """Start it and wait until it is ready.

        Raises:
            DriverUnavailable, DriverFailed: `stop` must still be called.
        """
        self._pipewire.start()
        self._remove_files()
        self._folder.mkdir(mode=0o700)
        self.limiter.touch()
        ready = self._folder / "ready"
        os.mkfifo(ready, 0o600)
        pipe = os.open(ready, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            argv, unknown = command_line(gamescope, mode, str(ready), wishes)
            if unknown:
                log.warning("%s has no %s", gamescope.title, " and no ".join(unknown))
            self._process = self._seat.spawn(
                "gamescope",
                argv,
                environment={
                    **self._pipewire.environment,
                    "XDG_RUNTIME_DIR": str(self._seat.runtime_dir),
                    "GAMESCOPE_LIMITER_FILE": str(self.limiter),
                },
            )
            deadline = time.monotonic() + START_S
            self.x_display, self.name = self._wait_for_names(pipe, deadline)
        finally:
            os.close(pipe)
        self.node = self._wait_for_node(deadline)

    def environment(self, wishes: GamescopeSettings) -> dict[str, str]:
        """What a program needs that is started beside gamescope, not by it."""
        found = {
            "XDG_RUNTIME_DIR": str(self._seat.runtime_dir),
            "DISPLAY": self.x_display,
            "GAMESCOPE_WAYLAND_DISPLAY": self.name,
            "GAMESCOPE_LIMITER_FILE": str(self.limiter),
            "LIBEI_SOCKET": socket_name(self.name),
            "XDG_CURRENT_DESKTOP": "gamescope",
            "XDG_SESSION_TYPE": "wayland" if wishes.wayland else "x11",
            "ENABLE_GAMESCOPE_WSI": "1",
            "SDL_VIDEO_MINIMIZE_ON_FOCUS_LOSS": "0",
            "vk_xwayland_wait_ready": "false",
        }
        if wishes.wayland:
            found["WAYLAND_DISPLAY"] = self.name
        if wishes.steam:
            found |= {"SRT_URLOPEN_PREFER_STEAM": "1", "STEAM_GAMESCOPE_DYNAMIC_FPSLIMITER": "1"}
            if wishes.xwayland_count > 1:
                found["STEAM_MULTIPLE_XWAYLANDS"] = "1"
        return found

    def check(self) -> None:
        """Raise `DriverFailed` when it or its PipeWire has ended."""
        if self._process is None:
            raise DriverFailed("gamescope is not started")
        status = self._process.exit_status()
        if status is not None:
            raise DriverFailed(
                f"gamescope ended with status {status}: {self._seat.log_tail('gamescope')}",
                status=status,
            )
        self._pipewire.check()

    def stop(self) -> None:
        """End it, and remove what it leaves behind. Safe to call twice."""
        if self._process is not None:
            self._process.stop()
        self._process = None
        self._pipewire.stop()
        self._remove_files()

    def _remove_files(self) -> None:
        """Those of one that crashed, too: nobody else makes any on this seat."""
        shutil.rmtree(self._folder, ignore_errors=True)
        for leftover in self._seat.runtime_dir.glob("gamescope-*"):
            leftover.unlink(missing_ok=True)

    def _wait_for_names(self, pipe: int, deadline: float) -> tuple[str, str]:
        said = b""
        while b"\n" not in said:
            self._check_starting(deadline, "it does not say that it is ready")
            if select.select([pipe], [], [], _POLL_S)[0]:
                said += os.read(pipe, _MOST_BYTES)
                if len(said) > _MOST_BYTES:
                    break
        names = _READY.match(said.decode(errors="replace"))
        if names is None:
            raise DriverFailed("gamescope names its displays in a way we do not know")
        return names[1], names[2]

    def _wait_for_node(self, deadline: float) -> Node:
        path = self._seat.environment.get("PATH")
        while True:
            nodes = gamescope_nodes(self.pictures, path)
            if nodes:
                return nodes[0]
            self._check_starting(deadline, "it gives out no picture; is it built with PipeWire?")
            time.sleep(_POLL_S)

    def _check_starting(self, deadline: float, problem: str) -> None:
        try:
            self.check()
        except DriverFailed as error:
            raise DriverUnavailable(
                DRIVER, str(error), hint="see whether the GPU has a Vulkan driver: vulkaninfo"
            ) from error
        if time.monotonic() > deadline:
            log_tail = self._seat.log_tail("gamescope")
            raise DriverFailed(f"gamescope does not become ready: {problem}: {log_tail}")
