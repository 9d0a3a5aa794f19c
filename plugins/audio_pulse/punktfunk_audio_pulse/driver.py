"""The session's sound, from the user's sound server or one of the session's own."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from punktfunk.plugin import (
    SAMPLE_RATE_HZ,
    AudioDriver,
    ChannelLayout,
    DriverFailed,
    DriverUnavailable,
    Samples,
    Seat,
)
from punktfunk_audio_pulse.keeper import Keeper, Room, Source
from punktfunk_audio_pulse.recorder import Recorder
from punktfunk_audio_pulse.rooms import OwnSink, UsersSink, UsersSpeakers
from punktfunk_audio_pulse.settings import DRIVER, ServerChoice
from punktfunk_audio_pulse.sinks import answers, default_sink, is_real, user_server

log = logging.getLogger(__name__)

_STARVED_S = 1.0
"""A monitor always has sound, if only silence; after this long without any, we ask why."""
_RETRY_S = 0.2
_CATCH_UP_S = 0.1


class PulseAudio(AudioDriver):
    """A sink to play on, and a recorder on its monitor.

    While the sound server is away there is silence, at the pace of the clock.
    """

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._room: Room | None = None
        self._keeper: Keeper | None = None
        self._wanted: tuple[ChannelLayout, int] | None = None
        self._recorder: Recorder | None = None
        self._recorded: Source | None = None
        self._heard_s = self._retry_s = self._due_s = 0.0

    def prepare(self, seat: Seat, layout: ChannelLayout) -> Mapping[str, str]:
        server = self._users_server(seat)
        sink = f"punktfunk-{seat.name}"
        if server is None:
            own = OwnSink(seat, sink, layout)
            self._settle_in(own)
            return {
                "PULSE_SERVER": own.server,
                "PULSE_SINK": sink,
                "PULSE_COOKIE": str(own.own.cookie),
                "PIPEWIRE_RUNTIME_DIR": str(seat.runtime_dir),
            }
        self._settle_in(UsersSink(seat, server, sink, layout))
        environment = _reach(seat, server) | {"PULSE_SINK": sink}
        if "PIPEWIRE_RUNTIME_DIR" in environment:
            environment["PIPEWIRE_NODE"] = sink
        return environment

    def attach(self, seat: Seat, layout: ChannelLayout) -> Mapping[str, str]:
        server = self._users_server(seat)
        if server is None:
            return self.prepare(seat, layout)
        self._settle_in(UsersSpeakers(server))
        return _reach(seat, server)

    def play_here(self) -> bool:
        if isinstance(self._room, UsersSpeakers):
            return True
        if not isinstance(self._room, UsersSink) or self._keeper is None:
            return False
        try:
            if not is_real(default_sink(self._room.server)):
                return False
        except DriverFailed:
            return False
        self._room.plays_here = True
        self._keeper.nudge()
        return True

    def start(self, layout: ChannelLayout, frames_per_read: int) -> None:
        self.stop()
        if self._keeper is None:
            raise DriverFailed("there is no sink to capture")
        self._wanted = layout, frames_per_read
        self._due_s = self._heard_s = time.monotonic()
        self._retry_s = 0.0

    def read(self, timeout_s: float) -> Samples | None:
        if self._keeper is None or self._wanted is None:
            raise DriverFailed("the capture is not started")
        deadline_s = time.monotonic() + timeout_s
        if self._recorder is None or self._recorded is not self._keeper.source:
            self._record(self._keeper.source)
        if self._recorder is not None:
            try:
                samples = self._recorder.read(max(0.0, deadline_s - time.monotonic()))
            except DriverFailed as error:
                self._miss(str(error))
            else:
                return self._heard(samples)
        return self._silence(deadline_s)

    def stop(self) -> None:
        self._wanted = None
        self._drop_recorder()

    def close(self) -> None:
        self.stop()
        keeper, room, self._keeper, self._room = self._keeper, self._room, None, None
        if keeper is not None:
            keeper.close()
        elif room is not None:
            room.leave()

    def _users_server(self, seat: Seat) -> str | None:
        """Where the user's server answers; None when the session shall have its own."""
        try:
            choice = ServerChoice.read(self.settings)
        except ValueError as error:
            raise DriverUnavailable(DRIVER, f"the setting server: {error}") from error
        if choice is ServerChoice.OWN:
            return None
        server = user_server(seat.host_environment)
        if server is not None and answers(server):
            return server
        if choice is ServerChoice.USER:
            raise DriverUnavailable(
                DRIVER,
                "no sound server of the user answers",
                hint="start PipeWire or PulseAudio, or set server = 'auto'",
            )
        return None

    def _settle_in(self, room: Room) -> None:
        self._room = room
        try:
            self._keeper = Keeper(room)
        except DriverFailed as error:
            self.close()
            raise DriverUnavailable(DRIVER, str(error)) from error
        except BaseException:
            self.close()
            raise

    def _record(self, source: Source | None) -> None:
        """Record this source if it can be had; not more often than makes sense."""
        self._drop_recorder()
        now_s = time.monotonic()
        if source is None or now_s < self._retry_s:
            return
        assert self._room is not None
        assert self._wanted is not None
        self._retry_s = now_s + _RETRY_S
        try:
            self._recorder = Recorder(self._room.server, source.name, *self._wanted)
        except DriverFailed as error:
            self._miss(str(error))
            return
        self._recorded = source
        self._heard_s = time.monotonic()

    def _heard(self, samples: Samples | None) -> Samples | None:
        now_s = time.monotonic()
        if samples is not None:
            self._heard_s = self._due_s = now_s
        elif now_s - self._heard_s > _STARVED_S:
            # From PipeWire 1.4 on a recorder is not told that its sink went away.
            self._miss("nothing comes from the sink")
        return samples

    def _miss(self, why: str) -> None:
        log.debug("the sound cannot be recorded: %s", why)
        self._drop_recorder()
        if self._keeper is not None:
            self._keeper.nudge()

    def _silence(self, deadline_s: float) -> Samples | None:
        """What would have been heard, when it would have been."""
        assert self._wanted is not None
        layout, frames = self._wanted
        now_s = time.monotonic()
        due_s = max(self._due_s + frames / SAMPLE_RATE_HZ, now_s - _CATCH_UP_S)
        time.sleep(max(0.0, min(due_s, deadline_s) - now_s))
        if due_s > deadline_s:
            return None
        self._due_s = due_s
        return np.zeros((frames, layout.channels), np.float32)

    def _drop_recorder(self) -> None:
        if self._recorder is not None:
            self._recorder.close()
        self._recorder = self._recorded = None


def _reach(seat: Seat, server: str) -> dict[str, str]:
    """Environment that leads programs to the user's server, PipeWire's own ones too."""
    environment = {"PULSE_SERVER": server}
    runtime = seat.host_environment.get("XDG_RUNTIME_DIR", "")
    if runtime and server == f"unix:{Path(runtime, 'pulse', 'native')}":
        environment["PIPEWIRE_RUNTIME_DIR"] = runtime
    return environment
