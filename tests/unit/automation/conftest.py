import pytest

from punktfunk.events import EventBus
from punktfunk.model.events import Event


@pytest.fixture
def paired() -> Event:
    """A client was paired whose name is an attack."""
    heard: list[Event] = []
    bus = EventBus(now_unix_ms=lambda: 1_700_000_000_000)
    bus.listeners.append(heard.append)
    bus.publish(
        "client.paired", client="ab" * 32, name="$(touch /tmp/x); `id` \"'\n\x00\x1b[31m\u202e"
    )
    return heard[0]
