"""Pictures over ext-image-copy-capture, the successor that all of Wayland agreed on."""

from typing import Any, ClassVar

import attrs

from punktfunk.plugin import Area, DriverFailed
from punktfunk_capture_wlroots.buffers import FORMATS, Buffer, BufferRing, BufferSpec
from punktfunk_capture_wlroots.copier import Copier, CopyFailed, Picture, destroy, gpu_only
from punktfunk_capture_wlroots.ext_protocols import (
    PAINT_CURSORS,
    STOPPED,
    CopyManager,
    OutputSourceManager,
)
from punktfunk_capture_wlroots.wayland import Connection

_OUTPUT_GONE = "the output is gone"


@attrs.define(eq=False)
class _Copy:
    """A picture that was asked for, and what the compositor said to it so far."""

    proxy: Any
    ring: BufferRing | None
    buffer: Buffer | None
    damage: tuple[Area, ...] = ()
    shown_ns: int = 0
    ready: bool = False
    failed: int | None = None


class ImageCopy(Copier):
    """A session on an output: it says what buffers it wants, and says so again when that changes.

    Raises:
        DriverFailed: from the constructor too: it wants buffers that we cannot read.
    """

    protocol: ClassVar[str] = "ext-image-copy-capture"

    def __init__(self, connection: Connection, output: Any) -> None:
        super().__init__(connection)
        self._width_px = self._height_px = 0
        self._formats: list[int] = []
        self._told_formats: list[int] = []
        self._described = self._stopped = self._wanted = False
        self._copy: _Copy | None = None
        sources = connection.bind(OutputSourceManager, 1)
        manager = connection.bind(CopyManager, 1)
        source = connection.own(sources.create_source(output))
        self._session = connection.own(manager.create_session(source, PAINT_CURSORS))
        events = self._session.dispatcher
        events["buffer_size"] = self._on_size
        events["shm_format"] = self._on_format
        events["done"] = self._on_done
        events["stopped"] = self._on_stopped
        connection.roundtrip()
        self._spec()

    @property
    def waiting(self) -> bool:
        return self._wanted

    def ask(self) -> None:
        self._wanted = True

    def advance(self) -> Picture | None:
        if self._stopped:
            raise DriverFailed(_OUTPUT_GONE)
        if self._copy is None and self._wanted and self._described:
            self._begin()
        copy = self._copy
        if copy is None:
            return None
        if copy.failed is not None:
            self.cancel()
            if copy.failed == STOPPED:
                raise DriverFailed(_OUTPUT_GONE)
            raise CopyFailed
        if not copy.ready or copy.ring is None or copy.buffer is None:
            return None
        picture = Picture(copy.ring, copy.buffer, copy.shown_ns, copy.damage or None)
        copy.buffer = None
        self.cancel()
        return picture

    def cancel(self) -> None:
        self._wanted = False
        copy, self._copy = self._copy, None
        if copy is None:
            return
        if copy.ring is not None and copy.buffer is not None:
            copy.ring.give_back(copy.buffer)
        copy.ring = copy.buffer = None  # the memory must not wait for the garbage collector
        destroy(copy.proxy)

    def close(self) -> None:
        super().close()
        destroy(self._session)

    def _begin(self) -> None:
        spec = self._spec()
        ring = self._ring_for(spec)
        buffer = ring.take()
        copy = self._copy = _Copy(self._session.create_frame(), ring, buffer)

        def on_damage(_: Any, left: int, top: int, width: int, height: int) -> None:
            copy.damage += (Area(left, top, width, height),)

        def on_shown(_: Any, seconds_high: int, seconds_low: int, nanoseconds: int) -> None:
            copy.shown_ns = (seconds_high << 32 | seconds_low) * 1_000_000_000 + nanoseconds

        def on_ready(_: Any) -> None:
            copy.ready = True

        def on_failed(_: Any, reason: int) -> None:
            copy.failed = reason

        events = copy.proxy.dispatcher
        events["damage"] = on_damage
        events["presentation_time"] = on_shown
        events["ready"] = on_ready
        events["failed"] = on_failed
        copy.proxy.attach_buffer(buffer.proxy)
        # The buffers take turns: each is older than the picture before.
        copy.proxy.damage_buffer(0, 0, spec.width_px, spec.height_px)
        copy.proxy.capture()
        self.connection.send()

    def _spec(self) -> BufferSpec:
        if not self._formats:
            raise gpu_only()
        known = [each for each in FORMATS if each in self._formats]
        if not known:
            offered = ", ".join(f"{each:#x}" for each in self._formats)
            raise DriverFailed(f"the compositor copies into no format that we know, but {offered}")
        return BufferSpec(known[0], self._width_px, self._height_px, 4 * self._width_px)

    def _on_size(self, _: Any, width: int, height: int) -> None:
        self._width_px, self._height_px = width, height

    def _on_format(self, _: Any, shm_format: int) -> None:
        self._told_formats.append(shm_format)

    def _on_done(self, _: Any) -> None:
        self._formats, self._told_formats = self._told_formats, []
        self._described = True

    def _on_stopped(self, _: Any) -> None:
        self._stopped = True
