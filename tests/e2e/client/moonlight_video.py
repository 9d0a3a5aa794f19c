"""The client's picture path: decode every frame, read its card, remember what was missing."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import numpy.typing as npt
from card_reader import Card, read_card

DECODERS = {"h264": "h264", "hevc": "hevc", "av1": "libdav1d"}
QUEUE_FRAMES = 900
LIST_CAP = 200
SAMPLES_CAP = 100_000


class Unit(NamedTuple):
    """One frame as the client library handed it over."""

    frame_number: int
    is_idr: bool
    host_latency_ms: float
    rtp_timestamp: int
    received_ns: int  # time.monotonic_ns(), when the client took the complete frame
    data: bytes


class VideoPipeline:
    """Takes frames from one thread, decodes them on another.

    `on_undecodable` is called once for every run of broken frames: the real clients ask for a
    key frame then.
    """

    def __init__(self, codec: str, on_undecodable: Callable[[], None] | None = None) -> None:
        self.codec = codec
        self._on_undecodable = on_undecodable
        self._decoder = _open_decoder(codec)
        self._queue: deque[Unit] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._busy = False
        self._picture: Any = None
        self._in_outage_since_ns: int | None = None
        self._last_frame_number: int | None = None
        self._last_good_ns: int | None = None
        self.first_received_ns: int | None = None
        self.first_decoded_ns: int | None = None
        self._clear()
        self._thread = threading.Thread(target=self._run, name="decode", daemon=True)
        self._thread.start()

    def submit(self, unit: Unit) -> None:
        with self._changed:
            if len(self._queue) >= QUEUE_FRAMES:
                self._queue_overflows += 1
                return
            self._queue.append(unit)
            self._changed.notify_all()

    def drain(self, timeout_s: float) -> bool:
        """Wait until everything submitted so far is decoded."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and not self._busy, timeout_s)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout=5)

    def reset(self) -> None:
        """Forget the counts, for measuring one window of a running stream."""
        with self._changed:
            self._clear()

    def save_picture(self, path: Path) -> dict[str, Any]:
        """Write the last decoded picture as PNG; raises LookupError before the first one."""
        frame = self._last_picture()
        frame.to_image().save(path, format="PNG")
        return {"path": str(path), "width": frame.width, "height": frame.height}

    def pixel(self, x: int, y: int) -> list[int]:
        """Red, green and blue at one place of the last decoded picture."""
        rgb = self._last_picture().to_ndarray(format="rgb24")
        return [int(value) for value in rgb[y, x]]

    def progress(self) -> dict[str, int]:
        with self._changed:
            return {"frames_decoded": self._decoded, "cards": len(self._counters)}

    def statistics(self) -> dict[str, Any]:
        with self._changed:
            counters = sorted(self._counters)
            span_s = self._span_s()
            return {
                "codec": self.codec,
                "frames_received": self._received,
                "bytes_received": self._bytes,
                "idr_frames": self._idr_frames,
                "frames_decoded": self._decoded,
                "frames_undecodable": self._undecodable,
                "frames_waiting": len(self._queue),
                "queue_overflows": self._queue_overflows,
                "fps": round((self._received - 1) / span_s, 3) if span_s else None,
                "first_frame_number": self._first_number,
                "last_frame_number": self._last_frame_number,
                "frame_number_gaps": list(self._gaps),
                "frames_missing_on_wire": self._missing_on_wire,
                "frame_numbers_backwards": self._backwards,
                "decode_errors": list(self._errors),
                "outages": list(self._outages),
                "width": getattr(self._picture, "width", None),
                "height": getattr(self._picture, "height", None),
                "pixel_format": self._pixel_format,
                "colour": self._colour,
                "host_latency_ms": _summary(self._host_latency_ms),
                "decode_ms": _summary(self._decode_ms),
                "interval_ms": _summary(self._interval_ms),
                "cards": {
                    "read": self._cards,
                    "unreadable": self._no_card,
                    "first": counters[0] if counters else None,
                    "last": counters[-1] if counters else None,
                    "distinct": len(counters),
                    "repeated": self._repeated,
                    "backwards": self._counter_backwards,
                    "missing": _missing(counters),
                    "missing_count": (counters[-1] - counters[0] + 1 - len(counters))
                    if counters
                    else 0,
                    "latency_ms": _summary(self._card_latency_ms),
                },
            }

    def recent_frames(self) -> list[dict[str, Any]]:
        """The newest frames, oldest first: frame number, counter (or None), time in ms, good."""
        with self._changed:
            return list(self._recent)

    def _clear(self) -> None:
        self._received = self._bytes = self._idr_frames = self._decoded = self._undecodable = 0
        self._queue_overflows = self._missing_on_wire = self._backwards = 0
        self._cards = self._no_card = self._repeated = self._counter_backwards = 0
        self._first_number: int | None = None
        self._gaps: deque[dict[str, Any]] = deque(maxlen=LIST_CAP)
        self._errors: deque[dict[str, Any]] = deque(maxlen=LIST_CAP)
        self._outages: deque[dict[str, Any]] = deque(maxlen=LIST_CAP)
        self._recent: deque[dict[str, Any]] = deque(maxlen=2 * LIST_CAP)
        self._counters: set[int] = set()
        self._last_counter: int | None = None
        self._pixel_format: str | None = None
        self._colour: dict[str, int] | None = None
        self._host_latency_ms: deque[float] = deque(maxlen=SAMPLES_CAP)
        self._decode_ms: deque[float] = deque(maxlen=SAMPLES_CAP)
        self._interval_ms: deque[float] = deque(maxlen=SAMPLES_CAP)
        self._card_latency_ms: deque[float] = deque(maxlen=SAMPLES_CAP)
        self._window_first_ns: int | None = None
        self._window_last_ns: int | None = None

    def _run(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._queue or self._closed)
                if not self._queue:
                    return
                unit = self._queue.popleft()
                self._busy = True
            self._take(unit)

    def _take(self, unit: Unit) -> None:
        began_ns = time.monotonic_ns()
        picture, error = self._decode(unit)
        decoded_ns = time.monotonic_ns()
        card = None if picture is None else read_card(luma_plane(picture))
        ask_for_key_frame = False
        with self._changed:
            self._note_arrival(unit)
            if error is None and picture is not None:
                self._note_good(unit, picture, card, decoded_ns)
                self._decode_ms.append((decoded_ns - began_ns) / 1e6)
            else:
                ask_for_key_frame = self._note_bad(unit, error or "no picture")
            self._recent.append(
                {
                    "frame": unit.frame_number,
                    "counter": card.counter if card else None,
                    "t_ms": round(unit.received_ns / 1e6, 3),
                    "idr": unit.is_idr,
                    "good": error is None,
                }
            )
        if ask_for_key_frame and self._on_undecodable is not None:
            self._on_undecodable()

    def _decode(self, unit: Unit) -> tuple[Any, str | None]:
        packet = av.Packet(unit.data)
        packet.pts = unit.frame_number
        try:
            pictures = self._decoder.decode(packet)
        except av.error.FFmpegError as error:
            return None, f"{type(error).__name__}: {error}"
        if not pictures:
            return None, "the decoder returned no picture"
        picture = pictures[-1]
        if picture.is_corrupt:
            return picture, "the decoder marked the picture as damaged"
        return picture, None

    def _note_arrival(self, unit: Unit) -> None:
        if self.first_received_ns is None:
            self.first_received_ns = unit.received_ns
        if self._window_first_ns is None:
            self._window_first_ns = unit.received_ns
        if self._window_last_ns is not None:
            self._interval_ms.append((unit.received_ns - self._window_last_ns) / 1e6)
        self._window_last_ns = unit.received_ns
        self._received += 1
        self._bytes += len(unit.data)
        self._idr_frames += unit.is_idr
        self._host_latency_ms.append(unit.host_latency_ms)
        if self._first_number is None:
            self._first_number = unit.frame_number
        previous = self._last_frame_number
        self._last_frame_number = unit.frame_number
        if previous is None:
            return
        missing = unit.frame_number - previous - 1
        if missing > 0:
            self._missing_on_wire += missing
            self._gaps.append(
                {"first": previous + 1, "count": missing, "t_ms": round(unit.received_ns / 1e6, 3)}
            )
            self._begin_outage(unit.received_ns)
        elif missing < 0:
            self._backwards += 1

    def _note_good(self, unit: Unit, picture: Any, card: Card | None, decoded_ns: int) -> None:
        if self.first_decoded_ns is None:
            self.first_decoded_ns = decoded_ns
        self._decoded += 1
        self._picture = picture
        self._pixel_format = picture.format.name
        self._colour = {
            "range": int(picture.color_range),
            "space": int(picture.colorspace),
            "primaries": int(picture.color_primaries),
            "transfer": int(picture.color_trc),
        }
        if self._in_outage_since_ns is not None:
            self._outages.append(
                {
                    "last_good_to_good_ms": round(
                        (unit.received_ns - self._in_outage_since_ns) / 1e6, 3
                    ),
                    "resumed_at_frame": unit.frame_number,
                    "resumed_with_idr": unit.is_idr,
                }
            )
            self._in_outage_since_ns = None
        self._last_good_ns = unit.received_ns
        if card is None:
            self._no_card += 1
            return
        self._cards += 1
        if self._last_counter is not None and card.counter < self._last_counter:
            self._counter_backwards += 1
        self._repeated += card.counter in self._counters
        self._counters.add(card.counter)
        self._last_counter = card.counter
        latency_ms = (decoded_ns - card.clock_ns) / 1e6
        if abs(latency_ms) < 60_000:  # else the card does not show this machine's monotonic clock
            self._card_latency_ms.append(latency_ms)

    def _note_bad(self, unit: Unit, error: str) -> bool:
        self._undecodable += 1
        self._errors.append(
            {"frame": unit.frame_number, "error": error, "t_ms": round(unit.received_ns / 1e6, 3)}
        )
        first_of_run = self._in_outage_since_ns is None
        self._begin_outage(unit.received_ns)
        return first_of_run

    def _begin_outage(self, now_ns: int) -> None:
        if self._in_outage_since_ns is None:
            self._in_outage_since_ns = now_ns if self._last_good_ns is None else self._last_good_ns

    def _span_s(self) -> float:
        if self._window_first_ns is None or self._window_last_ns is None:
            return 0.0
        return (self._window_last_ns - self._window_first_ns) / 1e9

    def _last_picture(self) -> Any:
        with self._changed:
            if self._picture is None:
                raise LookupError("no picture was decoded yet")
            return self._picture


def luma_plane(picture: Any) -> npt.NDArray[np.uint8]:
    """The luma plane as 8 bits, shape (height, width); 10-bit planes lose their low bits."""
    plane = picture.planes[0]
    depth = picture.format.components[0].bits
    kind = np.dtype(np.uint8 if depth == 8 else "<u2")
    rows = np.frombuffer(plane, kind).reshape(-1, plane.line_size // kind.itemsize)
    luma = rows[: picture.height, : picture.width]
    return luma if depth == 8 else (luma >> (depth - 8)).astype(np.uint8)


def _open_decoder(codec: str) -> Any:
    decoder = av.CodecContext.create(DECODERS[codec], "r")
    decoder.thread_count = 1  # frame threads would hold pictures back
    decoder.flags |= int(av.codec.context.Flags.low_delay)
    decoder.open()
    return decoder


def _missing(counters: Sequence[int]) -> list[int]:
    missing: list[int] = []
    for before, after in pairwise(counters):
        missing.extend(range(before + 1, min(after, before + 1 + LIST_CAP)))
        if len(missing) >= LIST_CAP:
            return missing[:LIST_CAP]
    return missing


def _summary(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    array = np.asarray(values)
    p50, p95, p99 = np.percentile(array, (50, 95, 99))
    numbers = {
        "min": array.min(),
        "mean": array.mean(),
        "p50": p50,
        "p95": p95,
        "p99": p99,
        "max": array.max(),
    }
    return {name: round(float(value), 3) for name, value in numbers.items()}
