"""One encoder, and the streams that share what it makes."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import attrs

from punktfunk.drivers.encode import EncodeDriver
from punktfunk.model.frames import DmaBufFormat, Frame
from punktfunk.model.video import EncodeParams
from punktfunk.session.intake import Intake
from punktfunk.session.keyframes import KeyframeRequests
from punktfunk.session.outlet import OutgoingFrame, Outlet

MIN_REPEAT_HZ = 20
"""A still picture is sent again this often, so that it sharpens and loss is noticed."""

_REPEAT_NS = 1_000_000_000 // MIN_REPEAT_HZ


def can_share(made: EncodeParams, wanted: EncodeParams) -> bool:
    """Could a client that negotiated `wanted` decode `made`? Rates of bits do not matter."""
    return (
        (made.codec, made.mode, made.color) == (wanted.codec, wanted.mode, wanted.color)
        and made.slices_per_frame <= wanted.slices_per_frame
        and (
            wanted.max_reference_frames == 0
            or 0 < made.max_reference_frames <= wanted.max_reference_frames
        )
    )


class Encoding:
    """Converts and encodes in the thread of a `PictureLoop`; streams come and go meanwhile.

    It spends what the most modest of its streams asked for.

    Args:
        wake: Called when it has failed.

    Attributes:
        number: Tells it from the session's others.
        name: Of the encoder's driver.
        in_use: Held by whoever uses the encoder.
        failure: Why it gave up, or None. It makes nothing more of pictures then.
    """

    def __init__(
        self,
        encoder: EncodeDriver,
        params: EncodeParams,
        *,
        number: int = 1,
        name: str = "",
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self.params = params
        self.number, self.name = number, name
        self.in_use = threading.Lock()
        self.failure: Exception | None = None
        self.bitrate_kbps = params.bitrate_kbps
        self._set_kbps = params.bitrate_kbps
        self._encoder = encoder
        self._intake = Intake(encoder, params)
        self._wake = wake
        self._wishes_kbps: dict[Outlet, int] = {}
        self._outlets: tuple[Outlet, ...] = ()
        self._began = False
        self._room = threading.Event()
        self._keyframes = KeyframeRequests()
        self._lock = threading.Lock()
        self._invalid: tuple[int, int] | None = None
        self._last: Frame | None = None
        self._sent_ns = 0

    # -- the streams' side

    @property
    def dmabufs(self) -> tuple[DmaBufFormat, ...]:
        """GPU memory that its encoder takes as it is."""
        return self._encoder.dmabufs

    @property
    def wanted(self) -> bool:
        """Some stream counts on it."""
        return bool(self._wishes_kbps)

    def claim(self, outlet: Outlet, bitrate_kbps: int) -> None:
        """Keep it for a stream that will attach."""
        self._wishes_kbps[outlet] = bitrate_kbps
        self.bitrate_kbps = min(self._wishes_kbps.values())

    def attach(self, outlet: Outlet) -> None:
        """Frames for this stream from now on, an IDR first."""
        outlet.unbroken = not self._began
        outlet.signal_room(self._room)
        self._outlets = (*self._outlets, outlet)
        self._keyframes.request()

    def drop(self, outlet: Outlet) -> None:
        """This stream is over."""
        self._outlets = tuple(it for it in self._outlets if it is not outlet)
        self._wishes_kbps.pop(outlet, None)
        self.bitrate_kbps = min(self._wishes_kbps.values(), default=self.bitrate_kbps)
        self._room.set()

    def request_keyframe(self) -> None:
        """Any thread: make the next frame an IDR."""
        self._keyframes.request()

    def invalidate_references(self, outlet: Outlet, first_frame: int, last_frame: int) -> None:
        """Any thread: a client lost these frames. Among several an IDR helps that one, too."""
        if self._outlets != (outlet,) or not outlet.unbroken:
            self._keyframes.request()
            return
        with self._lock:
            if self._invalid is not None:
                first_frame = min(first_frame, self._invalid[0])
                last_frame = max(last_frame, self._invalid[1])
            self._invalid = (first_frame, last_frame)

    # -- the picture thread's side

    @property
    def outlets(self) -> tuple[Outlet, ...]:
        return self._outlets

    @property
    def has_room(self) -> bool:
        """One of the senders keeps up."""
        return any(outlet.has_room for outlet in self._outlets)

    def wait_for_room(self, timeout_s: float) -> None:
        self._room.clear()
        if not self.has_room:
            self._room.wait(timeout_s)

    def show(self, captured: Frame) -> None:
        """Encode a new picture and hand it to all."""
        with self._noting_failure():
            started_ns = time.perf_counter_ns()
            before, self._last = self._last, self._intake.take(captured)
            if before is not None:
                before.release()
            self._measure("submit", time.perf_counter_ns() - started_ns)
            self._hand_over(self._last)

    def repeat(self, now_ns: int) -> None:
        """Encode the last picture again, if it is time or somebody waits for something."""
        if self._last is None or not (
            now_ns - self._sent_ns >= _REPEAT_NS
            or self._invalid is not None
            or self._keyframes.due(now_ns)
        ):
            return
        with self._noting_failure():
            self._last = attrs.evolve(self._last, captured_ns=now_ns, fresh=False)
            self._hand_over(self._last)

    def skip(self, captured: Frame) -> None:
        """Leave a picture out; what it changed is seen with the next."""
        self._intake.skip(captured)
        for outlet in self._outlets:
            outlet.meter.frames_dropped += 1

    def saw(self, captured: Frame) -> None:
        """Count how long the capture took."""
        self._measure("capture", max(0, time.monotonic_ns() - captured.captured_ns))

    @contextlib.contextmanager
    def _noting_failure(self) -> Iterator[None]:
        """What goes wrong with one encoder is the business of its own streams."""
        try:
            yield
        except Exception as error:
            self.failure = error
            self._wake()

    def _hand_over(self, frame: Frame) -> None:
        now_ns = self._sent_ns = time.monotonic_ns()
        outlets = self._outlets  # who attaches from here on gets the next IDR
        made = self._encode(frame, now_ns)
        if [outlet for outlet in outlets if outlet.offer(made, now_ns)]:
            self._keyframes.request()

    def _encode(self, frame: Frame, now_ns: int) -> OutgoingFrame:
        self._began = True
        if self._set_kbps != self.bitrate_kbps:
            self._set_kbps = self.bitrate_kbps
            self._encoder.set_bitrate(self._set_kbps)
        with self._lock:
            invalid, self._invalid = self._invalid, None
        if invalid is not None and not self._encoder.invalidate_references(*invalid):
            self._keyframes.request()
        keyframe = self._keyframes.take(now_ns)
        started_ns = time.perf_counter_ns()
        encoded = self._encoder.encode(frame, keyframe=keyframe)
        encode_ns = time.perf_counter_ns() - started_ns
        self._measure("encode", encode_ns)
        return OutgoingFrame(encoded=encoded, encode_ns=encode_ns, fresh=frame.fresh)

    def _measure(self, stage: str, duration_ns: int) -> None:
        for outlet in self._outlets:
            outlet.meter.add(stage, duration_ns)

    def close(self) -> None:
        """Call it when nobody uses the encoder."""
        last, self._last = self._last, None
        if last is not None:
            last.release()
        self._encoder.close()
