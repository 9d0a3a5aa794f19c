"""Keeps a session's source of sound there, whatever becomes of the sound server."""

import logging
import threading
import time
from typing import Any, Protocol

import attrs
import pulsectl

from punktfunk.plugin import DriverFailed, DriverUnavailable
from punktfunk_audio_pulse.sinks import connected

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
_CLOSE_S = 2.0
_PAUSES_S = (0.1, 0.25, 0.5)
_SETTLE_S = 0.05
"""Changes come in bursts."""


@attrs.frozen(eq=False)
class Source:
    """Something to record. Another object, also of the same name, has to be recorded anew."""

    name: str


class Room(Protocol):
    """Where the sound is played that a session hears."""

    @property
    def server(self) -> str:
        """Where it is reached, in PulseAudio's words."""

    def furnish(self) -> Source:
        """Make things as they should be. Changes nothing where they are.

        Raises:
            DriverFailed, DriverUnavailable: not at the moment.
            GivenUp: never again.
        """

    def look(self) -> None:
        """Raise `DriverFailed` when it is on fire. Called about once a second; cheap."""

    def leave(self) -> None:
        """Take away what was made."""


class GivenUp(DriverFailed):
    """It is not worth another try."""


class Keeper:
    """A thread that furnishes the room again whenever something in it changes.

    Attributes:
        source: What there is to record; None while there is nothing. Any thread may look.
    """

    def __init__(self, room: Room) -> None:
        """Furnish it for the first time.

        Raises:
            DriverFailed, DriverUnavailable: it cannot be.
        """
        self._room = room
        self.source: Source | None = room.furnish()
        self._stop = threading.Event()
        self._nudged = threading.Event()
        self._listening = threading.Lock()
        self._listener: Any = None
        self._thread = threading.Thread(target=self._run, name="sound keeper", daemon=True)
        self._thread.start()

    def nudge(self) -> None:
        """Any thread: something is wrong, look at once."""
        self._nudged.set()
        self._interrupt()

    def close(self) -> None:
        """End the thread, and leave the room."""
        self._stop.set()
        deadline = time.monotonic() + _CLOSE_S
        while self._thread.is_alive() and time.monotonic() < deadline:
            self.nudge()
            self._thread.join(0.02)
        self.source = None
        self._room.leave()

    def _interrupt(self) -> None:
        with self._listening:
            if self._listener is not None:
                self._listener.event_listen_stop()

    def _run(self) -> None:
        failures, since_s = 0, 0.0
        while not self._stop.is_set():
            self._nudged.clear()
            try:
                source = self._room.furnish()
                if failures:
                    log.info("the sound is back after %.1f seconds", time.monotonic() - since_s)
                self.source, failures = source, 0
                self._watch()
            except GivenUp as error:
                self.source = None
                log.error("the session stays silent: %s", error)
                return
            except (DriverFailed, DriverUnavailable, pulsectl.PulseError) as error:
                self.source = None
                if not failures and not self._stop.is_set():
                    since_s = time.monotonic()
                    log.warning("the sound is gone and will be brought back: %s", error)
                self._nudged.wait(_PAUSES_S[min(failures, len(_PAUSES_S) - 1)])
                failures += 1

    def _watch(self) -> None:
        """Until the end; raises when the server is gone."""
        changed = threading.Event()

        def on_event(event: Any) -> None:
            if event.facility == "server" or event.t in ("new", "remove"):
                changed.set()
                raise pulsectl.PulseLoopStop

        with connected(self._room.server) as pulse:
            pulse.event_mask_set("sink", "server")
            pulse.event_callback_set(on_event)
            while not self._stop.is_set():
                self._nudged.clear()
                changed.clear()
                self.source = self._room.furnish()
                self._listen(pulse, changed)

    def _listen(self, pulse: Any, changed: threading.Event) -> None:
        """Until something changes that matters, or somebody nudges."""
        with self._listening:
            self._listener = pulse
        try:
            while not (changed.is_set() or self._nudged.is_set() or self._stop.is_set()):
                pulse.event_listen(timeout=LOOK_EVERY_S)
                self._room.look()
        finally:
            with self._listening:
                self._listener = None
        self._stop.wait(_SETTLE_S)
