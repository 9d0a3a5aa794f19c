"""The built-in plugin and its drivers keep the promises they ask of others."""

import pytest

from punktfunk.builtin.memory_gamepads import MemoryGamepads
from punktfunk.builtin.memory_input import MemoryInput
from punktfunk.builtin.null_compositor import NullCompositor
from punktfunk.builtin.opus_encoder import OpusEncoder
from punktfunk.builtin.software_encoder import SoftwareEncoder
from punktfunk.builtin.testcard import TestCardCapture
from punktfunk.builtin.tone import SilentAudio, ToneAudio
from punktfunk.testing import (
    AudioDriverContract,
    AudioEncodeDriverContract,
    CaptureDriverContract,
    CompositorDriverContract,
    EncodeDriverContract,
    GamepadDriverContract,
    InputDriverContract,
    PluginContract,
)


class TestPlugin(PluginContract):
    name = "builtin"


class TestNullCompositor(CompositorDriverContract):
    name = "null"

    @pytest.fixture
    def driver(self):
        return NullCompositor()


class TestTestCard(CaptureDriverContract):
    capabilities = frozenset({"animated"})

    @pytest.fixture
    def driver(self):
        return TestCardCapture()


class TestSoftwareEncoder(EncodeDriverContract):
    capabilities = frozenset({"h264", "hevc", "av1"})

    @pytest.fixture
    def driver(self):
        return SoftwareEncoder()


class TestTone(AudioDriverContract):
    capabilities = frozenset({"surround"})

    @pytest.fixture
    def driver(self):
        return ToneAudio()


class TestSilence(AudioDriverContract):
    capabilities = frozenset({"surround"})

    @pytest.fixture
    def driver(self):
        return SilentAudio()


class TestOpus(AudioEncodeDriverContract):
    capabilities = frozenset({"surround"})

    @pytest.fixture
    def driver(self):
        return OpusEncoder()


class TestMemoryInput(InputDriverContract):
    capabilities = frozenset({"pointer", "keyboard", "text", "touch", "pen"})

    @pytest.fixture
    def driver(self):
        return MemoryInput()

    def held(self, driver):
        return driver.held


class TestMemoryGamepads(GamepadDriverContract):
    capabilities = frozenset({"motion"})

    @pytest.fixture
    def driver(self):
        return MemoryGamepads()

    def held(self, driver):
        return driver.held
