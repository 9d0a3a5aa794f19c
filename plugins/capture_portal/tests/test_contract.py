import pytest
from punktfunk_capture_portal.capture import PortalCapture
from punktfunk_capture_portal.compositor import PortalCompositor
from punktfunk_capture_portal.input import PortalInput

from punktfunk.plugin import Display
from punktfunk.testing import (
    CaptureDriverContract,
    CompositorDriverContract,
    InputDriverContract,
    PluginContract,
)

OWN = [(42, {"source_type": ("u", 4)})]


class Attaching(PortalCompositor):
    """The kit opens displays; a portal only shows one that is there."""

    def open(self, seat, mode):
        return self.attach(seat, mode)


class TestPortalPlugin(PluginContract):
    name = "portal"


@pytest.mark.desktop
@pytest.mark.usefixtures("slower_sweep")
class TestCompositor(CompositorDriverContract):
    name = "portal"

    @pytest.fixture
    def driver(self, make_fake) -> Attaching:
        make_fake(sources=5, streams=OWN)
        return Attaching()


@pytest.mark.desktop
@pytest.mark.usefixtures("slower_sweep")
class TestCapture(CaptureDriverContract):
    capabilities = frozenset({"animated"})

    @pytest.fixture
    def driver(self) -> PortalCapture:
        return PortalCapture()

    @pytest.fixture
    def display(self, window, guest) -> Display:
        return guest.attach(own_screen=False)[0]


@pytest.mark.desktop
@pytest.mark.usefixtures("slower_sweep")
class TestInput(InputDriverContract):
    capabilities = frozenset({"pointer", "keyboard", "text", "touch"})

    @pytest.fixture
    def driver(self) -> PortalInput:
        return PortalInput()

    @pytest.fixture
    def display(self, make_fake, guest) -> Display:
        make_fake()
        return guest.attach()[0]

    def held(self, driver: PortalInput) -> frozenset[int]:
        return driver.held
