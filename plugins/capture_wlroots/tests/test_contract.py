import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from punktfunk_capture_wlroots.capture import WlrootsCapture
from punktfunk_capture_wlroots.compositor import WlrootsCompositor
from punktfunk_capture_wlroots.input import WlrootsInput

from punktfunk.plugin import Display
from punktfunk.testing import (
    CaptureDriverContract,
    CompositorDriverContract,
    FakeSeat,
    InputDriverContract,
    PluginContract,
)

CLIENT = Path(__file__).with_name("lab_client.py")


class TestWlrootsPlugin(PluginContract):
    name = "wlroots"


@pytest.fixture
def desk(request, sway_program) -> Iterator[tuple[FakeSeat, Display]]:
    """A display on a seat of its own: the test's seat is the driver's alone."""
    compositor = WlrootsCompositor({"sway": sway_program})
    with FakeSeat("seat-desk") as seat:
        try:
            yield seat, compositor.open(seat, request.cls.mode)
        finally:
            compositor.close()


@pytest.mark.desktop
@pytest.mark.parametrize("sway_program", ["installed", "trixie"], indirect=True)
class TestCompositor(CompositorDriverContract):
    name = "wlroots"

    @pytest.fixture
    def driver(self, sway_program) -> WlrootsCompositor:
        return WlrootsCompositor({"sway": sway_program})


@pytest.mark.desktop
@pytest.mark.parametrize("sway_program", ["installed", "sid"], indirect=True)
class TestCapture(CaptureDriverContract):
    capabilities = frozenset({"animated"})

    @pytest.fixture
    def driver(self, sway_program) -> WlrootsCapture:
        return WlrootsCapture()

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
    def driver(self) -> WlrootsInput:
        return WlrootsInput()

    @pytest.fixture
    def display(self, desk) -> Display:
        return desk[1]

    def held(self, driver: WlrootsInput) -> frozenset[int]:
        return driver.held
