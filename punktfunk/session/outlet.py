"""Where one stream's sender gets its frames: bounded, and nobody waits for it."""

import queue
import threading

import attrs

from punktfunk.model.video import EncodedFrame
from punktfunk.session.meter import Meter

QUEUED_FRAMES = 2
"""With so many waiting, a sender counts as busy, and no picture is made for it alone."""

MOST_QUEUED_FRAMES = 4
"""What a sender may fall behind while others that get the same frames do not."""

_ASK_AGAIN_NS = 1_000_000_000


@attrs.frozen(kw_only=True)
class OutgoingFrame:
    """An encoded frame on its way to the sender, with the time its encoding took."""

    encoded: EncodedFrame
    encode_ns: int
    fresh: bool = True


class Outlet:
    """One stream's end of an encoding. Begins with an IDR, also after frames were left out.

    `offer` is the picture thread's, `get` the sender's.

    Attributes:
        unbroken: It has had every frame since the encoder's first, so that the client counts
            as the encoder does.
    """

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.unbroken = True
        self._frames: queue.Queue[OutgoingFrame | None] = queue.Queue()
        self._started = False
        self._needs_idr = True
        self._asked_ns = -_ASK_AGAIN_NS
        self._room: threading.Event | None = None

    def signal_room(self, room: threading.Event) -> None:
        """Set this event with every frame that is taken."""
        self._room = room

    @property
    def has_room(self) -> bool:
        return self._frames.qsize() < QUEUED_FRAMES

    def offer(self, frame: OutgoingFrame, now_ns: int) -> bool:
        """Take a frame, or leave it out; returns whether an IDR must be asked for.

        A sender that stays too slow has one a second made, at most: others see those, too.
        """
        keyframe = frame.encoded.keyframe
        if self._needs_idr and not keyframe:
            self._leave_out()
            if not self.has_room or now_ns - self._asked_ns < _ASK_AGAIN_NS:
                return False
            self._asked_ns = now_ns
            return True
        if self._frames.qsize() >= MOST_QUEUED_FRAMES:
            self._leave_out()
            self._needs_idr = True
            return False
        self._started, self._needs_idr = True, False
        self._frames.put_nowait(frame)
        self.meter.frames_new += frame.fresh
        self.meter.frames_repeated += not frame.fresh
        self.meter.keyframes += keyframe
        return False

    def get(self, timeout_s: float) -> OutgoingFrame | None:
        """The next frame; None when there is none in time, or the outlet was closed."""
        try:
            frame = self._frames.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if self._room is not None:
            self._room.set()
        return frame

    def close(self) -> None:
        """Wake the sender."""
        self._frames.put_nowait(None)

    def _leave_out(self) -> None:
        self.unbroken = False
        self.meter.frames_dropped += self._started
