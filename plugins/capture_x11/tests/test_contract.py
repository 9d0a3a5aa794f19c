import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from punktfunk_capture_x11.capture import X11Capture
from punktfunk_capture_x11.compositor import X11Compositor
from punktfunk_capture_x11.input import X11Input

from punktfunk.plugin import Display
from punktfunk.testing import (
    CaptureDriverContract,
    CompositorDriverContract,
    FakeSeat,
    InputDriverContract,
    PluginContract,
)

CLIENT = Path(__file__).with_name("lab_client.py")


class TestX11Plugin(PluginContract):
    name = "x11"


@pytest.fixture
def desk(request, programs) -> Iterator[tuple[FakeSeat, Display]]:
    """A display on a seat of its own: the test's seat is the driver's alone."""
    programs("Xvfb", "setxkbmap")
    compositor = X11Compositor()
    with FakeSeat("seat-desk") as seat:
        try:
            yield seat, compositor.open(seat, request.cls.mode)
        finally:
            compositor.close()


@pytest.mark.desktop
class TestCompositor(CompositorDriverContract):
    name = "x11"

    @pytest.fixture
    def driver(self, programs) -> X11Compositor:
        programs("Xvfb", "setxkbmap")
        return X11Compositor()


@pytest.mark.desktop
class TestCapture(CaptureDriverContract):
    capabilities = frozenset({"animated"})

    @pytest.fixture
    def driver(self) -> X11Capture:
        return X11Capture()

    @pytest.fixture
    def display(self, desk) -> Display:
        seat, display = desk
        argv = [sys.executable, str(CLIENT), "box", os.devnull]
        seat.spawn("client", argv, environment=display.environment)
        return display


@pytest.mark.desktop
class TestInput(InputDriverContract):
    capabilities = frozenset({"pointer", "keyboard", "text"})

    @pytest.fixture
    def driver(self) -> X11Input:
        return X11Input()

    @pytest.fixture
    def display(self, desk) -> Display:
        return desk[1]

    def held(self, driver: X11Input) -> frozenset[tuple[str, int]]:
        return driver.held
