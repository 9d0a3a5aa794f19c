"""The sound thread: captures once, encodes once for all who agree, sends to each."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

import attrs

from punktfunk.drivers.audio import AudioDriver, AudioEncodeDriver, Samples
from punktfunk.errors import DriverUnavailable
from punktfunk.gamestream.audio import AudioPacketizer
from punktfunk.model.audio import LAYOUTS, ChannelLayout, OpusParams
from punktfunk.session.endpoints import Endpoint
from punktfunk.session.meter import Meter
from punktfunk.session.mixing import Mixer

log = logging.getLogger(__name__)

_READ_TIMEOUT_S = 0.1


@attrs.frozen(eq=False)
class Listener:
    """One stream's sound on its way out."""

    packetizer: AudioPacketizer
    endpoint: Endpoint
    meter: Meter

    def send(self, packet: bytes) -> None:
        """Packets made before the client is known are nobody's."""
        if self.endpoint.address is None:
            return
        for datagram in self.packetizer.packetize(packet):
            self.endpoint.send(datagram)
        self.meter.audio_packets += 1


class Voice:
    """One Opus encoder and its listeners."""

    def __init__(self, params: OpusParams, encoder: AudioEncodeDriver) -> None:
        self.params = params
        self.encoder = encoder
        self.listeners: tuple[Listener, ...] = ()
        self._mixer: Mixer | None = None

    def hear(self, layout: ChannelLayout) -> None:
        """From now on samples come in this layout."""
        self._mixer = Mixer(layout, self.params.layout, self.params.frames_per_packet)

    def say(self, samples: Samples) -> None:
        assert self._mixer is not None
        for portion in self._mixer.mix(samples):
            if any(listener.endpoint.address is not None for listener in self.listeners):
                packet = self.encoder.encode(portion)
                for listener in self.listeners:
                    listener.send(packet)


class SoundLoop:
    """Runs in a thread of its own. The sound server's clock sets the pace.

    The capture has the widest layout and the shortest packets that anybody asked for. It is
    opened anew for somebody who wants more; the others hear a short gap.

    Attributes:
        turned_ns: When it last came round.
    """

    def __init__(
        self, audio: AudioDriver, open_encoder: Callable[[OpusParams], AudioEncodeDriver]
    ) -> None:
        self.turned_ns = time.monotonic_ns()
        self._audio = audio
        self._open_encoder = open_encoder
        self._voices: tuple[Voice, ...] = ()
        self._heard: tuple[Voice, ...] = ()
        self._captured: tuple[int, int] | None = None
        self._over: deque[AudioEncodeDriver] = deque()

    @property
    def wanted(self) -> bool:
        """Somebody listens."""
        return bool(self._voices)

    def join(self, params: OpusParams, listener: Listener) -> None:
        """Add a listener; begins to capture with the first one.

        Raises:
            DriverUnavailable, DriverFailed: it cannot have this sound.
        """
        voice = next((it for it in self._voices if it.params == params), None)
        if voice is None:
            voice = Voice(params, self._open_encoder(params))
            if self._captured is None:
                try:
                    self._start((params.layout.channels, params.frames_per_packet))
                except BaseException:
                    voice.encoder.close()
                    raise
        voice.listeners = (*voice.listeners, listener)
        if voice not in self._voices:
            self._voices = (*self._voices, voice)

    def leave(self, listener: Listener) -> None:
        """Take a listener out; one that never joined is fine."""
        voices = self._voices
        for voice in voices:
            voice.listeners = tuple(it for it in voice.listeners if it is not listener)
        self._voices = tuple(voice for voice in voices if voice.listeners)
        self._over.extend(voice.encoder for voice in voices if not voice.listeners)

    def close(self) -> None:
        """End the capture; call it when the thread has ended."""
        self._captured = None
        self._audio.stop()
        self._close_encoders()

    def run(self, stop: threading.Event) -> None:
        """Until `stop`.

        Raises:
            DriverFailed: the sound server or the encoder gave up.
        """
        while not stop.is_set():
            self.turned_ns = time.monotonic_ns()
            voices = self._voices
            if voices is not self._heard:
                self._attend(voices)
            samples = self._audio.read(_READ_TIMEOUT_S)
            if samples is not None:
                for voice in voices:
                    voice.say(samples)

    def _attend(self, voices: tuple[Voice, ...]) -> None:
        """Somebody came or went."""
        self._close_encoders()
        assert self._captured is not None
        before = self._captured
        wanted = (
            max(before[0], *(voice.params.layout.channels for voice in voices), 0),
            min(before[1], *(voice.params.frames_per_packet for voice in voices), before[1]),
        )
        if wanted != before:
            self._audio.stop()
            try:
                self._start(wanted)
            except DriverUnavailable:
                log.warning("sound cannot be captured in %d channels", wanted[0], exc_info=True)
                self._start(before)
        changed = self._captured != before
        for voice in voices:
            if changed or voice not in self._heard:
                voice.hear(LAYOUTS[self._captured[0]])
        self._heard = voices

    def _start(self, captured: tuple[int, int]) -> None:
        channels, frames = captured
        self._audio.start(LAYOUTS[channels], frames)
        self._captured = captured

    def _close_encoders(self) -> None:
        while self._over:
            self._over.popleft().close()
