"""What every driver has."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

_NO_SETTINGS: Mapping[str, object] = MappingProxyType({})


class Driver(ABC):
    """Constructing a driver touches nothing; opening it does.

    Args:
        settings: The plugin's own `[plugin.NAME]` table, defaults filled in.
    """

    def __init__(self, settings: Mapping[str, object] = _NO_SETTINGS) -> None:
        self.settings = settings

    @abstractmethod
    def close(self) -> None:
        """Give everything back. Safe to call twice, and on a driver that never opened."""
