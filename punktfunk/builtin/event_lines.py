"""Input events as lines of a file in the seat's runtime folder."""

import json
from enum import Enum
from typing import Any

import attrs

from punktfunk.drivers.seat import Seat
from punktfunk.errors import DriverUnavailable

EVENTS_FILE = "input-events.jsonl"


class EventLines:
    """A line is an object: `event` is the event's class name, the rest are its fields, enums
    as their numbers.

    Raises:
        DriverUnavailable: the file cannot be written.
    """

    def __init__(self, seat: Seat) -> None:
        try:
            self._lines = (seat.runtime_dir / EVENTS_FILE).open("a", encoding="utf-8", buffering=1)
        except OSError as error:
            raise DriverUnavailable("memory", f"cannot write {EVENTS_FILE}: {error}") from error

    def write(self, event: Any) -> None:
        """Append one event, an attrs value."""
        fields = attrs.asdict(event, value_serializer=_plain)
        self._lines.write(json.dumps({"event": type(event).__name__, **fields}) + "\n")

    def close(self) -> None:
        self._lines.close()


def _plain(_event: object, _field: object, value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
