"""Pictures of an output."""

import logging
import time
from collections.abc import Mapping

import numpy as np

from punktfunk.plugin import (
    CaptureDriver,
    Display,
    DriverFailed,
    DriverUnavailable,
    Frame,
    Plane,
    Seat,
    VideoMode,
)
from punktfunk_capture_wlroots.copier import Copier, CopyFailed, Picture
from punktfunk_capture_wlroots.ext_protocols import CopyManager, OutputSourceManager
from punktfunk_capture_wlroots.image_copy import ImageCopy
from punktfunk_capture_wlroots.protocols import ScreencopyManager
from punktfunk_capture_wlroots.screencopy import Screencopy
from punktfunk_capture_wlroots.wayland import Connection

log = logging.getLogger(__name__)

MAX_FAILURES_IN_A_ROW = 20
"""A copy fails now and then while the output changes its mode."""


class WlrootsCapture(CaptureDriver):
    """Copies on demand, and only when something changed since the copy before."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._connection: Connection | None = None
        self._copier: Copier | None = None
        self._interval_ns = 0
        self._due_ns = self._next_ns = 0
        self._failures = 0

    @property
    def protocol(self) -> str:
        """What the pictures come by, once it is open."""
        return self._copier.protocol if self._copier is not None else ""

    def open(self, seat: Seat, display: Display, mode: VideoMode) -> None:
        try:
            self._connection = Connection(display.environment)
            self._copier = _best_copier(self._connection, display.output)
        except DriverFailed as error:
            self.close()
            hint = str(error.fields.get("hint", ""))
            raise DriverUnavailable("wlroots", str(error), hint=hint) from error
        except BaseException:
            self.close()
            raise
        self._interval_ns = mode.frame_interval_ns
        self._due_ns = self._next_ns = 0
        self._failures = 0

    def read(self, timeout_s: float) -> Frame | None:
        """Return the first picture at once, then one whenever something changed.

        Frames have the output's size at that moment, should it differ from the opened mode.
        """
        if self._connection is None or self._copier is None:
            raise DriverFailed("the capture is not open")
        deadline_ns = time.monotonic_ns() + int(timeout_s * 1e9)
        while True:
            now_ns = time.monotonic_ns()
            if not self._copier.waiting:
                if now_ns < self._next_ns:
                    until_ns = min(self._next_ns, deadline_ns)
                    self._connection.wait(max(0, until_ns - now_ns) / 1e9)
                    if time.monotonic_ns() >= deadline_ns:
                        return None
                    continue
                self._copier.ask()
                picture = self._advance(self._copier)
            else:
                self._connection.wait(max(0, deadline_ns - now_ns) / 1e9)
                picture = self._advance(self._copier)
            if picture is not None:
                return self._frame(picture)
            if time.monotonic_ns() >= deadline_ns:
                return None

    def close(self) -> None:
        if self._copier is not None:
            self._copier.close()
        if self._connection is not None:
            self._connection.close()
        self._connection = self._copier = None

    def _advance(self, copier: Copier) -> Picture | None:
        try:
            picture = copier.advance()
        except CopyFailed:
            self._failures += 1
            if self._failures > MAX_FAILURES_IN_A_ROW:
                raise DriverFailed("the compositor refuses to copy its picture") from None
            self._next_ns = time.monotonic_ns() + self._interval_ns
            return None
        if picture is not None:
            self._failures = 0
            # On average at most the mode's rate. Asking half an interval early leaves room for
            # jitter, and for compositors whose timers run a little fast.
            half_ns = self._interval_ns // 2
            self._due_ns = max(self._due_ns, picture.ready_ns - half_ns) + self._interval_ns
            self._next_ns = self._due_ns - half_ns
        return picture

    def _frame(self, picture: Picture) -> Frame:
        ring, buffer = picture.ring, picture.buffer
        plane: Plane = buffer.plane
        damage = picture.damage
        if picture.upside_down:
            plane, damage = np.ascontiguousarray(plane[::-1]), None
        return Frame(
            format=ring.spec.format,
            width_px=ring.spec.width_px,
            height_px=ring.spec.height_px,
            planes=(plane,),
            captured_ns=picture.ready_ns,
            damage=damage,
            release=lambda: ring.give_back(buffer),
        )


def _best_copier(connection: Connection, output_name: str) -> Copier:
    output = connection.bind_output(output_name)
    why = "the compositor offers no other"
    if connection.has(CopyManager, OutputSourceManager):
        try:
            copier: Copier = ImageCopy(connection, output.proxy)
        except DriverFailed as error:
            if not connection.has(ScreencopyManager):
                raise
            why = str(error)
        else:
            log.info("pictures come over %s", copier.protocol)
            return copier
    copier = Screencopy(connection, output.proxy)
    log.info("pictures come over %s: %s", copier.protocol, why)
    return copier
