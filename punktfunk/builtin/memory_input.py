"""Input that goes into a file instead of a display."""

from collections.abc import Callable, Hashable, Mapping
from types import MappingProxyType

import attrs

from punktfunk.builtin.event_lines import EventLines
from punktfunk.drivers.compositor import Display
from punktfunk.drivers.input import InputDriver
from punktfunk.drivers.seat import Seat
from punktfunk.errors import DriverFailed
from punktfunk.model.feedback import Feedback
from punktfunk.model.input import ButtonEvent, ContactKind, InputEvent, KeyEvent, TouchEvent


class MemoryInput(InputDriver):
    """Appends each event to `input-events.jsonl` in the seat's runtime folder, see `EventLines`.

    Releasing what is held is written as the events a client would send.

    Attributes:
        held: What is down now, and the event that would release it.
    """

    _lines: EventLines | None = None

    def __init__(self, settings: Mapping[str, object] = MappingProxyType({})) -> None:
        super().__init__(settings)
        self.held: dict[Hashable, InputEvent] = {}

    def open(self, seat: Seat, display: Display, send_feedback: Callable[[Feedback], None]) -> None:
        self.close()
        self.held.clear()
        self._lines = EventLines(seat)

    def handle(self, event: InputEvent) -> None:
        if self._lines is None:
            raise DriverFailed("the input driver is not open")
        if not attrs.has(type(event)):
            return  # of a later version of punktfunk
        self._remember(event)
        self._lines.write(event)

    def release_all(self) -> None:
        for event in list(self.held.values()):
            self.handle(event)

    def close(self) -> None:
        lines, self._lines = self._lines, None
        if lines is not None:
            lines.close()

    def _remember(self, event: InputEvent) -> None:
        match event:
            case KeyEvent(vk=name) | ButtonEvent(button=name):
                self._hold((type(event), name), event.pressed, attrs.evolve(event, pressed=False))
            case TouchEvent(kind=ContactKind.DOWN | ContactKind.MOVE, pointer_id=finger):
                self._hold(("finger", finger), True, attrs.evolve(event, kind=ContactKind.UP))
            case TouchEvent(kind=ContactKind.UP | ContactKind.CANCEL, pointer_id=finger):
                self._hold(("finger", finger), False, event)

    def _hold(self, what: Hashable, down: bool, release: InputEvent) -> None:
        if down:
            self.held[what] = release
        else:
            self.held.pop(what, None)
