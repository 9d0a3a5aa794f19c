"""All of these tests are inherited: the kit asks the questions."""

import pytest
from punktfunk_encode_example.driver import ExampleEncoder

from punktfunk.testing import EncodeDriverContract, PluginContract


class TestPlugin(PluginContract):
    name = "example"


class TestDriver(EncodeDriverContract):
    capabilities = frozenset({"h264"})

    @pytest.fixture
    def driver(self) -> ExampleEncoder:
        return ExampleEncoder()
