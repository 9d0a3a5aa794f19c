import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from punktfunk_capture_mutter.capture import MutterCapture
from punktfunk_capture_mutter.compositor import MutterCompositor
from punktfunk_capture_mutter.input import MutterInput

from punktfunk.plugin import Display
from punktfunk.testing import (
    CaptureDriverContract,
    CompositorDriverContract,
    FakeSeat,
    InputDriverContract,
    PluginContract,
)

CLIENT = Path(__file__).parents[2] / "capture_wlroots" / "tests" / "lab_client.py"
NEEDED = ("mutter", "dbus-daemon", "pipewire", "wireplumber")
PLAIN = {"program": "mutter", "xwayland": False}


class TestMutterPlugin(PluginContract):
    name = "mutter"


@pytest.fixture
def desk(request, programs) -> Iterator[tuple[FakeSeat, Display]]:
    """A display on a seat of its own: the test's seat is the driver's alone."""
    programs(*NEEDED)
    compositor = MutterCompositor(PLAIN)
    with FakeSeat("seat-desk") as seat:
        try:
            yield seat, compositor.open(seat, request.cls.mode)
        finally:
            compositor.close()


@pytest.mark.desktop
class TestCompositor(CompositorDriverContract):
    name = "mutter"

    @pytest.fixture
    def driver(self, programs) -> MutterCompositor:
        programs(*NEEDED)
        return MutterCompositor(PLAIN)


@pytest.mark.desktop
class TestCapture(CaptureDriverContract):
    capabilities = frozenset({"animated"})

    @pytest.fixture
    def driver(self) -> MutterCapture:
        return MutterCapture()

    @pytest.fixture
    def display(self, desk) -> Display:
        seat, display = desk
        argv = [sys.executable, str(CLIENT), "box", os.devnull]
        seat.spawn("client", argv, environment=display.environment)
        return display


@pytest.mark.desktop
class TestInput(InputDriverContract):
    capabilities = frozenset({"pointer", "keyboard", "touch", "text"})

    @pytest.fixture
    def driver(self) -> MutterInput:
        return MutterInput()

    @pytest.fixture
    def display(self, desk) -> Display:
        return desk[1]

    def held(self, driver: MutterInput) -> frozenset[int]:
        return driver.held
