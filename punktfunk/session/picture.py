"""The picture thread: capture, convert, encode, hand over to the sender."""

import queue
import threading
import time

import attrs

from punktfunk.drivers.capture import CaptureDriver
from punktfunk.drivers.encode import EncodeDriver
from punktfunk.model.frames import Frame
from punktfunk.model.video import EncodedFrame, VideoMode
from punktfunk.pixels import Converter
from punktfunk.session.keyframes import KeyframeRequests
from punktfunk.session.meter import Meter

MIN_REPEAT_HZ = 20
"""A still picture is sent again this often, so that it sharpens and loss is noticed."""

QUEUED_FRAMES = 2

_REPEAT_NS = 1_000_000_000 // MIN_REPEAT_HZ
_CATCH_UP = 32


@attrs.frozen(kw_only=True)
class OutgoingFrame:
    """An encoded frame on its way to the sender, with the time its encoding took."""

    encoded: EncodedFrame
    encode_ns: int


FrameQueue = queue.Queue[OutgoingFrame]


class PictureLoop:
    """Runs in a thread of its own; owns the capture and the encoder while it runs.

    Back-pressure works at the capture: while the sender is busy nothing new is taken, so
    what is lost is a picture that was never encoded and nothing refers to.

    Attributes:
        turned_ns: When it last came round.
    """

    def __init__(
        self,
        *,
        mode: VideoMode,
        capture: CaptureDriver,
        encoder: EncodeDriver,
        converter: Converter,
        outgoing: FrameQueue,
        meter: Meter,
    ) -> None:
        self.turned_ns = time.monotonic_ns()
        self._interval_ns = mode.frame_interval_ns
        self._due_ns = 0
        self._capture = capture
        self._encoder = encoder
        self._converter = converter
        self._outgoing = outgoing
        self._meter = meter
        self._keyframes = KeyframeRequests()
        self._lock = threading.Lock()
        self._invalid: tuple[int, int] | None = None
        self._bitrate_kbps: int | None = None

    def request_keyframe(self) -> None:
        """Any thread: make the next frame an IDR."""
        self._keyframes.request()

    def invalidate_references(self, first_frame: int, last_frame: int) -> None:
        """Any thread: the client lost these frames."""
        with self._lock:
            if self._invalid is not None:
                first_frame = min(first_frame, self._invalid[0])
                last_frame = max(last_frame, self._invalid[1])
            self._invalid = (first_frame, last_frame)

    def run(self, stop: threading.Event) -> None:
        """Until `stop`.

        Raises:
            DriverFailed: the capture or the encoder gave up.
        """
        last: Frame | None = None
        sent_ns = 0
        while not stop.is_set():
            self.turned_ns = time.monotonic_ns()
            captured = self._next()
            now_ns = time.monotonic_ns()
            if captured is not None:
                with self._meter.stage("submit"):
                    last = self._converter.convert(captured)
                self._meter.frames_new += 1
            elif last is not None and (now_ns - sent_ns >= _REPEAT_NS or self._is_urgent(now_ns)):
                last = attrs.evolve(last, captured_ns=now_ns, fresh=False)
                self._meter.frames_repeated += 1
            else:
                continue
            sent_ns = now_ns
            self._hand_over(self._encode(last), stop)

    def _next(self) -> Frame | None:
        """The newest picture, no earlier than the client's rate allows; None: nothing changed.

        One that comes too early is kept until it is due, not dropped: it may be the last for
        a long time.
        """
        frame = self._read(self._interval_ns)
        if frame is None:
            return None
        slack_ns = self._interval_ns // 2
        while (early_ns := self._due_ns - slack_ns - time.monotonic_ns()) > 0:
            newer = self._read(early_ns)
            if newer is None:
                break
            self._converter.skip(frame)
            self._meter.frames_dropped += 1
            frame = newer
        # A hair faster than the client asked for, or one late picture would keep all that
        # follow waiting at this gate.
        step_ns = self._interval_ns - self._interval_ns // _CATCH_UP
        self._due_ns = max(self._due_ns + step_ns, time.monotonic_ns() + slack_ns)
        return frame

    def _is_urgent(self, now_ns: int) -> bool:
        """The client waits for something although the picture stands still."""
        return self._invalid is not None or self._keyframes.due(now_ns)

    def _read(self, timeout_ns: int) -> Frame | None:
        frame = self._capture.read(timeout_ns / 1e9)
        if frame is not None:
            self._meter.add("capture", max(0, time.monotonic_ns() - frame.captured_ns))
        return frame

    def _encode(self, frame: Frame) -> OutgoingFrame:
        with self._lock:
            invalid, self._invalid = self._invalid, None
        if invalid is not None and not self._encoder.invalidate_references(*invalid):
            self._keyframes.request()
        keyframe = self._keyframes.take(time.monotonic_ns())
        started_ns = time.perf_counter_ns()
        encoded = self._encoder.encode(frame, keyframe=keyframe)
        encode_ns = time.perf_counter_ns() - started_ns
        self._meter.add("encode", encode_ns)
        self._meter.keyframes += encoded.keyframe
        return OutgoingFrame(encoded=encoded, encode_ns=encode_ns)

    def _hand_over(self, frame: OutgoingFrame, stop: threading.Event) -> None:
        while not stop.is_set():
            self.turned_ns = time.monotonic_ns()
            try:
                self._outgoing.put(frame, timeout=0.1)
            except queue.Full:
                continue
            return
