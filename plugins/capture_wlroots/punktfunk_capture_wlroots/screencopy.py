"""Pictures over wlr-screencopy, which every wlroots compositor has."""

from typing import Any, ClassVar

import attrs

from punktfunk.plugin import Area
from punktfunk_capture_wlroots.buffers import Buffer, BufferRing, BufferSpec
from punktfunk_capture_wlroots.copier import Copier, CopyFailed, Picture, destroy, gpu_only
from punktfunk_capture_wlroots.protocols import ScreencopyManager
from punktfunk_capture_wlroots.wayland import Connection

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


class Screencopy(Copier):
    """Raises:
    DriverFailed: from the constructor too: it copies into GPU memory only.
    """

    protocol: ClassVar[str] = "wlr-screencopy"

    def __init__(self, connection: Connection, output: Any) -> None:
        super().__init__(connection)
        self._output = output
        self._manager = connection.bind(ScreencopyManager, 3)
        self._copy: _Copy | None = None
        self._last_ring: BufferRing | None = None
        self.ask()
        connection.roundtrip()
        self._check_kind()
        self.cancel()

    @property
    def waiting(self) -> bool:
        return self._copy is not None

    def ask(self) -> None:
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
        self._copy = copy

    def advance(self) -> Picture | None:
        copy = self._copy
        if copy is None:
            return None
        if copy.failed:
            self.cancel()
            raise CopyFailed
        self._check_kind()
        if copy.buffer is None and copy.described and copy.spec is not None:
            copy.ring = self._ring_for(copy.spec)
            copy.buffer = copy.ring.take()
            # Nothing may change for a long time: the first picture must not wait for it, nor the
            # first of another size, whose change wlroots 0.18 takes for shown in the old size.
            # To the first one with damage everything is new, so nothing in between is missed.
            if copy.ring is self._last_ring:
                copy.proxy.copy_with_damage(copy.buffer.proxy)
            else:
                copy.proxy.copy(copy.buffer.proxy)
            self.connection.send()
        if copy.ready_ns is None or copy.ring is None or copy.buffer is None:
            return None
        # A picture that was copied without damage comes without any, but is new all over.
        picture = Picture(
            copy.ring,
            copy.buffer,
            copy.ready_ns,
            damage=copy.damage or None,
            upside_down=bool(copy.flags & _Y_INVERTED),
        )
        copy.buffer = None
        self._last_ring = copy.ring
        self.cancel()
        return picture

    def _check_kind(self) -> None:
        if self._copy is not None and self._copy.described and self._copy.spec is None:
            raise gpu_only()

    def cancel(self) -> None:
        copy, self._copy = self._copy, None
        if copy is None:
            return
        if copy.ring is not None and copy.buffer is not None:
            copy.ring.give_back(copy.buffer)
        copy.ring = copy.buffer = None  # the memory must not wait for the garbage collector
        destroy(copy.proxy)
