"""The sound thread: capture, encode, packetise, send."""

import threading
import time

from punktfunk.drivers.audio import AudioDriver, AudioEncodeDriver
from punktfunk.gamestream.audio import AudioPacketizer
from punktfunk.session.endpoints import Endpoint
from punktfunk.session.meter import Meter

_READ_TIMEOUT_S = 0.1


class SoundLoop:
    """Runs in a thread of its own. The sound server's clock sets the pace.

    Attributes:
        turned_ns: When it last came round.
    """

    def __init__(
        self,
        *,
        audio: AudioDriver,
        encoder: AudioEncodeDriver,
        packetizer: AudioPacketizer,
        endpoint: Endpoint,
        meter: Meter,
    ) -> None:
        self.turned_ns = time.monotonic_ns()
        self._audio = audio
        self._encoder = encoder
        self._packetizer = packetizer
        self._endpoint = endpoint
        self._meter = meter

    def run(self, stop: threading.Event) -> None:
        """Until `stop`.

        Raises:
            DriverFailed: the sound server or the encoder gave up.
        """
        while not stop.is_set():
            self.turned_ns = time.monotonic_ns()
            samples = self._audio.read(_READ_TIMEOUT_S)
            if samples is None or self._endpoint.address is None:
                continue
            for datagram in self._packetizer.packetize(self._encoder.encode(samples)):
                self._endpoint.send(datagram)
            self._meter.audio_packets += 1
