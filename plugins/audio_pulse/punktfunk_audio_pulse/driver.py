"""The session's own sink, on the user's sound server or on one of the session's own."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path

from punktfunk.plugin import (
    AudioDriver,
    ChannelLayout,
    DriverFailed,
    DriverUnavailable,
    Effect,
    Samples,
    Seat,
)
from punktfunk_audio_pulse.own_server import OwnServer
from punktfunk_audio_pulse.recorder import Recorder
from punktfunk_audio_pulse.settings import DRIVER, SINK_EFFECT, ServerChoice
from punktfunk_audio_pulse.sinks import (
    answers,
    create_sink,
    default_sink,
    remove_sink,
    sink_is_gone,
    undo_sink,
    user_server,
)

log = logging.getLogger(__name__)

_POLL_S = 0.01
_MANAGER_S = 5.0
_STARVED_S = 1.0
"""A monitor always has sound, if only silence; after this long without any, we ask why."""


class PulseAudio(AudioDriver):
    """A null sink to play on, and a recorder on its monitor."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._seat: Seat | None = None
        self._server = ""
        self._sink = ""
        self._effect: Effect | None = None
        self._own: OwnServer | None = None
        self._recorder: Recorder | None = None
        self._heard_s = 0.0

    def prepare(self, seat: Seat, layout: ChannelLayout) -> Mapping[str, str]:
        try:
            choice = ServerChoice.read(self.settings)
        except ValueError as error:
            raise DriverUnavailable(DRIVER, f"the setting server: {error}") from error
        self._seat, self._sink = seat, f"punktfunk-{seat.name}"
        try:
            if choice is not ServerChoice.OWN:
                server = user_server(seat.host_environment)
                if server is not None and answers(server):
                    return self._prepare_on_users(seat, server, layout)
                if choice is ServerChoice.USER:
                    raise DriverUnavailable(
                        DRIVER,
                        "no sound server of the user answers",
                        hint="start PipeWire or PulseAudio, or set server = 'auto'",
                    )
            return self._prepare_on_own(seat, layout)
        except DriverFailed as error:
            self.close()
            raise DriverUnavailable(DRIVER, str(error)) from error
        except BaseException:
            self.close()
            raise

    def start(self, layout: ChannelLayout, frames_per_read: int) -> None:
        self.stop()
        if not self._server:
            raise DriverFailed("there is no sink to capture")
        self._recorder = Recorder(self._server, f"{self._sink}.monitor", layout, frames_per_read)
        self._heard_s = time.monotonic()

    def read(self, timeout_s: float) -> Samples | None:
        if self._recorder is None:
            raise DriverFailed("the capture is not started")
        samples = self._recorder.read(timeout_s)
        now_s = time.monotonic()
        if samples is not None:
            self._heard_s = now_s
        elif now_s - self._heard_s > _STARVED_S:
            self._heard_s = now_s
            # From PipeWire 1.4 on a recorder is not told that its sink went away.
            if sink_is_gone(self._server, self._sink):
                raise DriverFailed("the sink is gone")
        return samples

    def stop(self) -> None:
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None

    def close(self) -> None:
        self.stop()
        if self._own is not None:
            self._own.stop()
            self._own = None
        if self._effect is not None and self._seat is not None:
            if undo_sink(self._server, self._sink):
                self._seat.forget(self._effect)
            else:
                log.warning("the sink is left for the next start", extra={"sink": self._sink})
            self._effect = None
        self._server = ""

    def _prepare_on_users(
        self, seat: Seat, server: str, layout: ChannelLayout
    ) -> Mapping[str, str]:
        self._server = server
        effect = Effect(kind=SINK_EFFECT, data={"server": server, "sink": self._sink})
        seat.record(effect)
        self._effect = effect
        remove_sink(server, self._sink)
        create_sink(server, self._sink, layout)
        environment = {"PULSE_SERVER": server, "PULSE_SINK": self._sink}
        runtime = seat.host_environment.get("XDG_RUNTIME_DIR", "")
        if runtime and server == f"unix:{Path(runtime, 'pulse', 'native')}":
            # Programs that speak PipeWire themselves find the same server and sink.
            environment |= {"PIPEWIRE_RUNTIME_DIR": runtime, "PIPEWIRE_NODE": self._sink}
        return environment

    def _prepare_on_own(self, seat: Seat, layout: ChannelLayout) -> Mapping[str, str]:
        self._own = OwnServer(seat)
        self._own.start()
        self._server = self._own.server
        create_sink(self._server, self._sink, layout)
        self._wait_for_default(self._own)
        return {
            "PULSE_SERVER": self._server,
            "PULSE_SINK": self._sink,
            "PULSE_COOKIE": str(self._own.cookie),
            "PIPEWIRE_RUNTIME_DIR": str(seat.runtime_dir),
        }

    def _wait_for_default(self, own: OwnServer) -> None:
        """Wait until WirePlumber made our sink the default: then it is there and links."""
        deadline = time.monotonic() + _MANAGER_S
        while default_sink(self._server) != self._sink:
            own.check()
            if time.monotonic() > deadline:
                raise DriverFailed("WirePlumber does not take care of the sink")
            time.sleep(_POLL_S)
