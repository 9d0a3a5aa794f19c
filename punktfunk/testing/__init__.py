"""The kit for plugin authors: inherit a contract, supply a fixture, and the tests are yours.

```python
class TestExampleDriver(EncodeDriverContract):
    capabilities = frozenset({"hevc"})

    @pytest.fixture
    def driver(self) -> ExampleDriver:
        return ExampleDriver()
```

Needs pytest, which the core does not depend on.
"""

from punktfunk.testing.audio import AudioDriverContract
from punktfunk.testing.audio_encode import AudioEncodeDriverContract
from punktfunk.testing.capture import CaptureDriverContract
from punktfunk.testing.compositor import CompositorDriverContract
from punktfunk.testing.contract import Contract, DriverContract
from punktfunk.testing.distribution import write_distribution
from punktfunk.testing.encode import EncodeDriverContract
from punktfunk.testing.gamepad import GamepadDriverContract
from punktfunk.testing.input import InputDriverContract
from punktfunk.testing.plugin import PluginContract
from punktfunk.testing.seat import FakeSeat
from punktfunk.testing.store import StoreContract

__all__ = [
    "AudioDriverContract",
    "AudioEncodeDriverContract",
    "CaptureDriverContract",
    "CompositorDriverContract",
    "Contract",
    "DriverContract",
    "EncodeDriverContract",
    "FakeSeat",
    "GamepadDriverContract",
    "InputDriverContract",
    "PluginContract",
    "StoreContract",
    "write_distribution",
]
