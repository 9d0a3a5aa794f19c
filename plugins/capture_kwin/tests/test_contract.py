import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from punktfunk_capture_kwin.capture import KwinCapture
from punktfunk_capture_kwin.compositor import KwinCompositor
from punktfunk_capture_kwin.input import KwinInput

from punktfunk.plugin import Display
from punktfunk.testing import (
    CaptureDriverContract,
    CompositorDriverContract,
    FakeSeat,
    InputDriverContract,
    PluginContract,
)

CLIENT = Path(__file__).parents[2] / "capture_wlroots" / "tests" / "lab_client.py"


class TestKwinPlugin(PluginContract):
    name = "kwin"


@pytest.fixture
def desk(request, programs) -> Iterator[tuple[FakeSeat, Display]]:
    """A display on a seat of its own: the test's seat is the driver's alone."""
    programs("kwin_wayland", "pipewire", "wireplumber")
    compositor = KwinCompositor({"xwayland": False})
    with FakeSeat("seat-desk") as seat:
        try:
            yield seat, compositor.open(seat, request.cls.mode)
        finally:
            compositor.close()


@pytest.mark.desktop
class TestCompositor(CompositorDriverContract):
    name = "kwin"
    xfails: ClassVar = {
        "test_a_resized_display_has_the_new_mode": "a headless KWin has its size for good; "
        "the capture stretches its picture"
    }

    @pytest.fixture
    def driver(self, programs) -> KwinCompositor:
        programs("kwin_wayland", "pipewire", "wireplumber")
        return KwinCompositor({"xwayland": False})


@pytest.mark.desktop
class TestCapture(CaptureDriverContract):
    capabilities = frozenset({"animated"})

    @pytest.fixture
    def driver(self) -> KwinCapture:
        return KwinCapture()

    @pytest.fixture
    def display(self, desk) -> Display:
        seat, display = desk
        argv = [sys.executable, str(CLIENT), "box", os.devnull]
        seat.spawn("client", argv, environment=display.environment)
        return display


@pytest.mark.desktop
class TestInput(InputDriverContract):
    capabilities = frozenset({"pointer", "keyboard", "touch"})

    @pytest.fixture
    def driver(self) -> KwinInput:
        return KwinInput()

    @pytest.fixture
    def display(self, desk) -> Display:
        return desk[1]

    def held(self, driver: KwinInput) -> frozenset[int]:
        return driver.held
