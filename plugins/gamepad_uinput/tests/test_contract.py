import pytest
from punktfunk_gamepad_uinput.driver import UinputGamepads

from punktfunk.testing import GamepadDriverContract, PluginContract


class TestUinputPlugin(PluginContract):
    name = "uinput"


class TestOnThisMachine(GamepadDriverContract):
    """Skipped, with the reason, where there is no `/dev/uinput`."""

    @pytest.fixture
    def driver(self) -> UinputGamepads:
        return UinputGamepads()


class TestOnRecordingNodes(GamepadDriverContract):
    capabilities = frozenset({"motion"})

    @pytest.fixture
    def driver(self, machine) -> UinputGamepads:
        self.machine = machine
        return UinputGamepads({}, machine.open_node)

    def another(self, driver: UinputGamepads) -> UinputGamepads:
        return UinputGamepads(driver.settings, self.machine.open_node)

    def held(self, driver: UinputGamepads) -> frozenset[int]:
        return driver.held
