"""Pictures of an output over wlr-screencopy."""

import time
from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from pywayland.protocol.wayland import WlShm

from punktfunk.plugin import (
    Area,
    CaptureDriver,
    Display,
    DriverFailed,
    DriverUnavailable,
    Frame,
    Plane,
    Seat,
    VideoMode,
)
from punktfunk_capture_wlroots.buffers import Buffer, BufferRing, BufferSpec
from punktfunk_capture_wlroots.protocols import ScreencopyManager
from punktfunk_capture_wlroots.wayland import Connection

MAX_FAILURES_IN_A_ROW = 20
"""A copy fails now and then while the output changes its mode."""

_WITH_CURSOR = 1
_Y_INVERTED = 1


@attrs.define(eq=False)
class _Copy:
    """One request for a picture, and what the compositor said to it so far."""

    proxy: Any
    spec: BufferSpec | None = None
    described: bool = False
    ring: BufferRing | None = None
    buffer: Buffer | None = None
    flags: int = 0
    damage: tuple[Area, ...] = ()
    ready_ns: int | None = None
    failed: bool = False


class WlrootsCapture(CaptureDriver):
    """Copies on demand, and only when something changed since the copy before."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._connection: Connection | None = None
        self._manager: Any = None
        self._shm: Any = None
        self._output: Any = None
        self._ring: BufferRing | None = None
        self._copy: _Copy | None = None
        self._interval_ns = 0
        self._due_ns = self._next_ns = 0
        self._seen_any = False
        self._failures = 0

    def open(self, seat: Seat, display: Display, mode: VideoMode) -> None:
        try:
            self._connection = Connection(display.environment)
            self._shm = self._connection.bind(WlShm, 1)
            self._manager = self._connection.bind(ScreencopyManager, 3)
            self._output = self._connection.bind_output(display.output)
        except DriverFailed as error:
            self.close()
            raise DriverUnavailable("wlroots", str(error)) from error
        except BaseException:
            self.close()
            raise
        self._interval_ns = mode.frame_interval_ns
        self._due_ns = self._next_ns = 0

    def read(self, timeout_s: float) -> Frame | None:
        """Return the first picture at once, then one whenever something changed.

        Frames have the output's size at that moment, should it differ from the opened mode.
        """
        if self._connection is None:
            raise DriverFailed("the capture is not open")
        deadline_ns = time.monotonic_ns() + int(timeout_s * 1e9)
        while True:
            now_ns = time.monotonic_ns()
            if self._copy is None:
                if now_ns < self._next_ns:
                    until_ns = min(self._next_ns, deadline_ns)
                    self._connection.wait(max(0, until_ns - now_ns) / 1e9)
                    if time.monotonic_ns() >= deadline_ns:
                        return None
                    continue
                self._copy = self._request()
            self._connection.wait(max(0, deadline_ns - now_ns) / 1e9)
            frame = self._advance(self._connection, self._copy)
            if frame is not None or time.monotonic_ns() >= deadline_ns:
                return frame

    def close(self) -> None:
        if self._connection is None:
            return
        if self._copy is not None:
            self._drop(self._copy)
        if self._ring is not None:
            self._ring.close()
        self._connection.close()
        self._connection = self._ring = self._copy = None
        self._manager = self._shm = self._output = None
        self._seen_any = False

    def _request(self) -> _Copy:
        copy = _Copy(self._manager.capture_output(_WITH_CURSOR, self._output))
        events = copy.proxy.dispatcher

        def on_buffer(_: Any, shm_format: int, width: int, height: int, stride: int) -> None:
            copy.spec = BufferSpec(shm_format, width, height, stride)

        def on_buffer_done(_: Any) -> None:
            copy.described = True

        def on_flags(_: Any, flags: int) -> None:
            copy.flags = flags

        def on_damage(_: Any, left: int, top: int, width: int, height: int) -> None:
            copy.damage += (Area(left, top, width, height),)

        def on_ready(_: Any, seconds_high: int, seconds_low: int, nanoseconds: int) -> None:
            copy.ready_ns = (seconds_high << 32 | seconds_low) * 1_000_000_000 + nanoseconds

        def on_failed(_: Any) -> None:
            copy.failed = True

        events["buffer"] = on_buffer
        events["buffer_done"] = on_buffer_done
        events["flags"] = on_flags
        events["damage"] = on_damage
        events["ready"] = on_ready
        events["failed"] = on_failed
        return copy

    def _advance(self, connection: Connection, copy: _Copy) -> Frame | None:
        """Do the next step of a copy; the picture when it is complete."""
        if copy.failed:
            self._drop(copy)
            self._failures += 1
            if self._failures > MAX_FAILURES_IN_A_ROW:
                raise DriverFailed("the compositor refuses to copy its picture")
            self._next_ns = time.monotonic_ns() + self._interval_ns
            return None
        if copy.buffer is None and copy.described and copy.spec is not None:
            copy.ring = self._ring_for(copy.spec)
            copy.buffer = copy.ring.take()
            # Nothing may change for a long time: the first picture must not wait for it. To
            # the first one with damage everything is new, so nothing in between is missed.
            if self._seen_any:
                copy.proxy.copy_with_damage(copy.buffer.proxy)
            else:
                copy.proxy.copy(copy.buffer.proxy)
            connection.send()
        if copy.ready_ns is None:
            return None
        return self._finish(copy, copy.ready_ns)

    def _finish(self, copy: _Copy, ready_ns: int) -> Frame:
        assert copy.ring is not None
        assert copy.buffer is not None
        ring, buffer = copy.ring, copy.buffer
        copy.buffer = None
        self._drop(copy)
        self._seen_any, self._failures = True, 0
        # On average at most the mode's rate. Asking half an interval early leaves room for
        # jitter, and for compositors whose timers run a little fast.
        half_ns = self._interval_ns // 2
        self._due_ns = max(self._due_ns, ready_ns - half_ns) + self._interval_ns
        self._next_ns = self._due_ns - half_ns
        spec = ring.spec
        plane: Plane = buffer.plane
        if copy.flags & _Y_INVERTED:
            plane = np.ascontiguousarray(plane[::-1])
        # A picture that was copied without damage comes without any, but is new all over.
        damage = copy.damage if copy.damage and not copy.flags & _Y_INVERTED else None
        return Frame(
            format=spec.format,
            width_px=spec.width_px,
            height_px=spec.height_px,
            planes=(plane,),
            captured_ns=ready_ns,
            damage=damage,
            release=lambda: ring.give_back(buffer),
        )

    def _ring_for(self, spec: BufferSpec) -> BufferRing:
        if self._ring is None or self._ring.spec != spec:
            if self._ring is not None:
                self._ring.close()
            _ = spec.format
            self._ring = BufferRing(self._shm, spec)
        return self._ring

    def _drop(self, copy: _Copy) -> None:
        if copy.ring is not None and copy.buffer is not None:
            copy.ring.give_back(copy.buffer)
        if not copy.proxy.destroyed:
            copy.proxy.destroy()
        self._copy = None
