"""Where a session's sound is played: a sink of its own, here or there, or the user's speakers."""

import logging
import time

from punktfunk.plugin import ChannelLayout, DriverFailed, DriverUnavailable, Effect, Seat
from punktfunk_audio_pulse.keeper import GivenUp, Source
from punktfunk_audio_pulse.own_server import OwnServer
from punktfunk_audio_pulse.settings import SINK_EFFECT
from punktfunk_audio_pulse.sinks import (
    create_sink,
    default_sink,
    has_sink,
    is_real,
    loop_back,
    remove_sink,
    undo_sink,
)

log = logging.getLogger(__name__)

_POLL_S = 0.01
_MANAGER_S = 5.0
_RESTARTS = 3
_WINDOW_S = 60.0


class UsersSink:
    """A sink of the session's own on the user's server.

    Attributes:
        plays_here: Play it on the user's default sink as well.
    """

    def __init__(self, seat: Seat, server: str, sink: str, layout: ChannelLayout) -> None:
        self.plays_here = False
        self._seat = seat
        self._server = server
        self._sink = sink
        self._layout = layout
        self._source: Source | None = None
        self._played_on = ""
        self._effect = Effect(kind=SINK_EFFECT, data={"server": server, "sink": sink})
        seat.record(self._effect)

    @property
    def server(self) -> str:
        return self._server

    def furnish(self) -> Source:
        if self._source is None:
            remove_sink(self._server, self._sink)
        if self._source is None or not has_sink(self._server, self._sink):
            create_sink(self._server, self._sink, self._layout)
            self._source = Source(f"{self._sink}.monitor")
            self._played_on = ""
        if self.plays_here:
            self._loop_back()
        return self._source

    def look(self) -> None:
        """The server's end is noticed by whoever listens to it."""

    def leave(self) -> None:
        if undo_sink(self._server, self._sink):
            self._seat.forget(self._effect)
        else:
            log.warning("the sink is left for the next start", extra={"sink": self._sink})

    def _loop_back(self) -> None:
        speakers = default_sink(self._server)
        if not is_real(speakers):
            speakers = ""
        if speakers != self._played_on:
            loop_back(self._server, self._sink, speakers)
            self._played_on = speakers


class OwnSink:
    """A sink on a server that is the session's own."""

    def __init__(self, seat: Seat, sink: str, layout: ChannelLayout) -> None:
        self.own = OwnServer(seat)
        self._sink = sink
        self._layout = layout
        self._source: Source | None = None
        self._starts_s: list[float] = []

    @property
    def server(self) -> str:
        return self.own.server

    def furnish(self) -> Source:
        if not self._runs():
            self._start()
        if self._source is None or not has_sink(self.server, self._sink):
            create_sink(self.server, self._sink, self._layout)
            self._wait_for_default()
            self._source = Source(f"{self._sink}.monitor")
        return self._source

    def look(self) -> None:
        self._check()

    def leave(self) -> None:
        self.own.stop()

    def _check(self) -> None:
        try:
            self.own.check()
        except DriverUnavailable as error:
            raise DriverFailed(error.reason) from error

    def _runs(self) -> bool:
        try:
            self._check()
        except DriverFailed:
            return False
        return self.own.started

    def _start(self) -> None:
        now_s = time.monotonic()
        self._starts_s = [at_s for at_s in self._starts_s if now_s - at_s < _WINDOW_S]
        if len(self._starts_s) > _RESTARTS:
            raise GivenUp(f"the sound server ended {_RESTARTS + 1} times within a minute")
        self._starts_s.append(now_s)
        self._source = None
        self.own.stop()
        self.own.start()

    def _wait_for_default(self) -> None:
        """Wait until WirePlumber made our sink the default: then it is there and links."""
        deadline = time.monotonic() + _MANAGER_S
        while default_sink(self.server) != self._sink:
            self._check()
            if time.monotonic() > deadline:
                raise DriverFailed("WirePlumber does not take care of the sink")
            time.sleep(_POLL_S)


class UsersSpeakers:
    """What the user's default sink plays. Nothing is made."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._source: Source | None = None

    @property
    def server(self) -> str:
        return self._server

    def furnish(self) -> Source:
        sink = default_sink(self._server)
        if not has_sink(self._server, sink):
            raise DriverFailed("the sound server has no default sink")
        if self._source is None or self._source.name != f"{sink}.monitor":
            self._source = Source(f"{sink}.monitor")
        return self._source

    def look(self) -> None:
        """The server's end is noticed by whoever listens to it."""

    def leave(self) -> None:
        """Nothing was made."""
