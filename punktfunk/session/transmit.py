"""The send thread: packetise, protect, encrypt, pace, send. One ordered sender."""

import threading
import time
from collections.abc import Callable

from punktfunk.gamestream.video import FrameType, VideoPacketizer, rtp_timestamp
from punktfunk.model.video import EncodedFrame
from punktfunk.session.endpoints import Endpoint
from punktfunk.session.meter import Meter
from punktfunk.session.outlet import OutgoingFrame, Outlet
from punktfunk.session.sender import VideoSender

_POLL_S = 0.1


class TransmitLoop:
    """Runs in a thread of its own.

    Args:
        request_keyframe: Called when a frame could not be sent, so that the client is not
            left waiting for it.

    Attributes:
        turned_ns: When it last came round.
    """

    def __init__(
        self,
        *,
        outlet: Outlet,
        packetizer: VideoPacketizer,
        sender: VideoSender,
        endpoint: Endpoint,
        interval_ns: int,
        meter: Meter,
        request_keyframe: Callable[[], None],
    ) -> None:
        self._outlet = outlet
        self._packetizer = packetizer
        self._sender = sender
        self._endpoint = endpoint
        self._interval_ns = interval_ns
        self._meter = meter
        self._request_keyframe = request_keyframe
        self._started_ns = self.turned_ns = time.monotonic_ns()

    def run(self, stop: threading.Event) -> None:
        """Until `stop`. Losing a packet is not an error; it is counted."""
        while not stop.is_set():
            self.turned_ns = time.monotonic_ns()
            frame = self._outlet.get(_POLL_S)
            if frame is not None:
                self._transmit(frame)

    def _transmit(self, frame: OutgoingFrame) -> None:
        address = self._endpoint.address
        if address is None:
            self._drop()
            return
        encoded = frame.encoded
        began_ns = time.monotonic_ns()
        age_ns = began_ns - encoded.captured_ns
        with self._meter.stage("packetize"):
            batch = self._packetizer.packetize(
                encoded.data,
                frame_type=_frame_type(encoded),
                timestamp_90k=rtp_timestamp(encoded.captured_ns - self._started_ns),
                latency_tenths_ms=min(0xFFFF, max(0, age_ns // 100_000)),
            )
        if batch is None:
            self._drop()
            return
        started_ns = time.monotonic_ns()
        counters = self._sender.send(
            batch, address, started_ns, self._interval_ns, self._endpoint.source
        )
        ended_ns = time.monotonic_ns()
        self._meter.add("send", ended_ns - started_ns - counters.sleep_ns)
        self._meter.packets_sent += counters.packets
        self._meter.bytes_sent += counters.bytes
        self._meter.packets_dropped += counters.dropped_packets
        self._meter.send_errors += counters.errors
        self._meter.add_latency(
            ended_ns - encoded.captured_ns - frame.encode_ns - counters.sleep_ns
        )

    def _drop(self) -> None:
        self._meter.frames_dropped += 1
        self._request_keyframe()


def _frame_type(encoded: EncodedFrame) -> FrameType:
    if encoded.keyframe:
        return FrameType.IDR
    return FrameType.AFTER_INVALIDATION if encoded.after_invalidation else FrameType.NORMAL
