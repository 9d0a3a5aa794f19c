from collections.abc import Iterator

import pytest
from punktfunk_audio_pulse.driver import PulseAudio

from punktfunk.testing import AudioDriverContract, PluginContract


class TestPulsePlugin(PluginContract):
    name = "pulse"


@pytest.mark.desktop
@pytest.mark.usefixtures("need_programs")
class TestOwnServer(AudioDriverContract):
    capabilities = frozenset({"surround"})

    @pytest.fixture
    def driver(self) -> PulseAudio:
        return PulseAudio({"server": "own"})


@pytest.mark.desktop
@pytest.mark.usefixtures("user_server")
@pytest.mark.parametrize("user_server", ["pipewire", "pulseaudio"], indirect=True)
class TestUsersServer(AudioDriverContract):
    capabilities = frozenset({"surround"})

    @pytest.fixture
    def driver(self) -> Iterator[PulseAudio]:
        yield PulseAudio({"server": "user"})
