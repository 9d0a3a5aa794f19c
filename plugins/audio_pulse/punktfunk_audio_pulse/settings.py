"""Names, and what a person may set in `[plugin.pulse]`."""

from collections.abc import Mapping
from enum import StrEnum

DRIVER = "pulse"
SINK_EFFECT = "pulse.sink"


class ServerChoice(StrEnum):
    """Whose sound server a session plays on."""

    AUTO = "auto"
    USER = "user"
    OWN = "own"

    @classmethod
    def read(cls, table: Mapping[str, object]) -> "ServerChoice":
        """Take `server` from the plugin's table.

        Raises:
            ValueError: it is none of the three.
        """
        return cls(str(table.get("server", cls.AUTO)))
