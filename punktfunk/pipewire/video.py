"""Pictures from a PipeWire node, one after the other."""

import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path

import attrs

from punktfunk.errors import DriverFailed
from punktfunk.model.frames import Area, Frame, Plane
from punktfunk.model.video import PixelFormat, VideoMode
from punktfunk.pipewire import library, pods
from punktfunk.pipewire.buffers import Memory
from punktfunk.pipewire.cursor import Cursor
from punktfunk.pipewire.formats import PARAM_FORMAT, RGB, PictureFormat, answer, offer
from punktfunk.pipewire.shapes import cropped
from punktfunk.pipewire.stream import ERROR, UNCONNECTED, Listener, Stream, connect

_ENOUGH_BUFFERS = 4
"""Two may be out, one waits, one is being written. With fewer, pictures are copied."""
_OLDEST_STAMP_NS = 1_000_000_000


@attrs.define(eq=False)
class _Picture:
    memory: Memory
    planes: tuple[Plane, ...]
    agreed: PictureFormat
    taken_ns: int
    damage: tuple[Area, ...] | None


class PipeWireVideo:
    """Takes pictures that a node gives out, no copy made where the producer's buffers suffice.

    Used by one thread; the library has one of its own, whose lock guards everything that
    both touch. Frames come out in the format and size that the producer has at that moment.

    Args:
        runtime: Folder of the PipeWire to ask, where its `pipewire-0` is.
        node: Number of the node, as whoever made it said; or its name.
        mode: The size to ask for and the rate not to exceed.
        exact_size: Take no other size: some producers make what they are asked for.
        prefer_size: Take another size only from producers that do not.
        exact_rate: Agree on no other highest rate, for the same reason.
        cursor: Ask for the pointer beside the picture, and draw it in. Costs a copy.
        formats: Which ones to take.
        connection: A socket to use instead of `runtime`, such as a portal hands out.

    Raises:
        DriverUnavailable: no library, or no PipeWire there.
    """

    def __init__(
        self,
        runtime: Path,
        node: int | str,
        mode: VideoMode,
        *,
        exact_size: bool = False,
        prefer_size: bool = False,
        exact_rate: bool = False,
        cursor: bool = False,
        formats: Collection[PixelFormat] = RGB,
        connection: int | None = None,
    ) -> None:
        if cursor and not set(formats) <= set(RGB):
            raise ValueError("only BGRX and RGBX can be drawn into")
        library.load()  # before anything is connected
        fd = connect(runtime / "pipewire-0") if connection is None else connection
        self._interval_ns = mode.frame_interval_ns
        self._next_ns = self._due_ns = self._last_ns = 0
        self._changed = threading.Condition()
        self._gone = ""
        self._agreed: PictureFormat | None = None
        self._is_first = True
        self._memories: dict[int, Memory] = {}
        self._waiting: _Picture | None = None
        self._shown: _Picture | None = None
        self._cursor = Cursor() if cursor else None
        self._cursor_moved = False
        self._cursor_area: Area | None = None
        self._stream = Stream(
            Listener(
                state=self._on_state,
                param=self._on_param,
                add_buffer=self._on_add_buffer,
                remove_buffer=self._on_remove_buffer,
                process=self._on_process,
                fail=self._fail,
            )
        )
        sizes = [True, False] if prefer_size else [exact_size]
        offered = [offer(mode, formats, exact_size=it, exact_rate=exact_rate) for it in sizes]
        self._stream.connect(fd, node, offered)

    def read(self, timeout_s: float) -> Frame | None:
        """Wait for the next new picture, no sooner than the mode's rate allows.

        The frame is borrowed until released, even if the stream is closed or dies.

        Raises:
            DriverFailed: the producer or PipeWire is gone.
        """
        deadline_ns = time.monotonic_ns() + int(timeout_s * 1e9)
        while True:
            with self._changed:
                if self._gone:
                    raise DriverFailed(self._gone)
                now_ns = time.monotonic_ns()
                news = self._waiting is not None or self._cursor_moved
                wait_ns = min(deadline_ns, self._next_ns if news else deadline_ns) - now_ns
                if wait_ns > 0 and (not news or now_ns < self._next_ns):
                    self._changed.wait(wait_ns / 1e9)
                    continue
            if not news or now_ns < self._next_ns:
                return None
            frame = self._take()
            if frame is not None:
                half_ns = self._interval_ns // 2
                self._due_ns = max(self._due_ns, now_ns - half_ns) + self._interval_ns
                self._next_ns = self._due_ns - half_ns
                return frame

    def close(self) -> None:
        """Disconnect. Frames that are out stay as they are. Safe to call twice."""
        self._stream.close()
        self._waiting = self._shown = None
        self._memories.clear()

    def _take(self) -> Frame | None:
        """Make a frame of what waits, under the library's lock."""
        with self._stream.locked():
            with self._changed:
                picture, self._waiting = self._waiting, None
                self._cursor_moved = False
            if self._cursor is not None:
                return self._take_with_cursor(self._cursor, picture)
            if picture is None:
                return None
            planes = picture.planes
            release = self._releaser(picture.memory)
            if not picture.memory.lasts or len(self._memories) < _ENOUGH_BUFFERS:
                planes = tuple(plane.copy() for plane in planes)
                release()
                release = _nothing
            return self._frame(picture, planes, picture.damage, release)

    def _take_with_cursor(self, cursor: Cursor, fresh: _Picture | None) -> Frame | None:
        """Draw the pointer into a copy; the picture without it is kept for its next move."""
        damage: tuple[Area, ...] | None = ()
        if fresh is not None:
            self._give_back(self._shown)
            self._shown, damage = fresh, fresh.damage
        shown = self._shown
        if shown is None:
            return None
        plane = shown.planes[0].copy()
        area = cursor.area(shown.agreed.width_px, shown.agreed.height_px)
        cursor.draw(plane, shown.agreed.format)
        if damage is not None:
            damage += tuple(covered for covered in (self._cursor_area, area) if covered is not None)
        self._cursor_area = area
        if fresh is None:
            shown.taken_ns = time.monotonic_ns()
        return self._frame(shown, (plane,), damage, _nothing)

    def _frame(
        self,
        picture: _Picture,
        planes: tuple[Plane, ...],
        damage: tuple[Area, ...] | None,
        release: Callable[[], None],
    ) -> Frame:
        self._last_ns = max(self._last_ns + 1, picture.taken_ns)
        return Frame(
            format=picture.agreed.format,
            width_px=picture.agreed.width_px,
            height_px=picture.agreed.height_px,
            planes=planes,
            captured_ns=self._last_ns,
            damage=damage,
            release=release,
        )

    def _releaser(self, memory: Memory) -> Callable[[], None]:
        def release() -> None:
            if self._stream.is_open:
                with self._stream.locked():
                    self._give_memory_back(memory)

        return release

    def _give_back(self, picture: _Picture | None) -> None:
        if picture is not None:
            self._give_memory_back(picture.memory)

    def _give_memory_back(self, memory: Memory) -> None:
        if self._memories.get(memory.address) is memory:
            self._stream.queue(memory.address)

    # The library's thread calls these, under its lock.

    def _fail(self, why: str) -> None:
        with self._changed:
            self._gone = self._gone or why
            self._changed.notify_all()

    def _on_state(self, before: int, state: int, words: str) -> None:
        if state == ERROR:
            self._fail(f"the stream of pictures broke: {words or 'no reason given'}")
        elif state == UNCONNECTED and before != UNCONNECTED:
            self._fail("whoever made the pictures is gone")

    def _on_param(self, number: int, pod: bytes) -> None:
        if number == PARAM_FORMAT:
            self._agreed = PictureFormat.read(pods.read_object(pod))
            self._is_first = True
            self._stream.update_params(answer(cursor=self._cursor is not None))

    def _on_add_buffer(self, address: int) -> None:
        self._memories[address] = Memory(address)

    def _on_remove_buffer(self, address: int) -> None:
        memory = self._memories.pop(address, None)
        if self._shown is not None and self._shown.memory is memory:
            self._shown = None
        with self._changed:
            if self._waiting is not None and self._waiting.memory is memory:
                self._waiting = None

    def _on_process(self) -> None:
        """Keep the newest picture, hand everything else back at once."""
        while address := self._stream.dequeue():
            memory = self._memories.get(address)
            if memory is None or self._agreed is None:
                self._stream.queue(address)
                continue
            kept = False
            try:
                kept = self._receive(memory, self._agreed)
            finally:
                if not kept:
                    self._give_memory_back(memory)

    def _receive(self, memory: Memory, agreed: PictureFormat) -> bool:
        planes, notes = memory.picture(agreed), memory.notes()
        moved = self._cursor is not None and self._cursor.update(notes.cursor)
        now_ns = time.monotonic_ns()
        if planes is not None:
            taken_ns = notes.taken_ns or now_ns
            if not now_ns - _OLDEST_STAMP_NS < taken_ns <= now_ns:
                taken_ns = now_ns
            damage = None if self._is_first else notes.damage
            self._is_first = False
            whole = agreed
            planes, agreed = cropped(planes, whole, notes.crop)
            if agreed is not whole:
                damage = None
        with self._changed:
            self._cursor_moved = self._cursor_moved or moved
            if planes is not None:
                skipped = self._waiting
                if skipped is not None:
                    damage = _both(skipped, agreed, damage)
                self._waiting = _Picture(memory, planes, agreed, taken_ns, damage)
                self._give_back(skipped)
            self._changed.notify_all()
        return planes is not None


def _both(
    skipped: _Picture, agreed: PictureFormat, damage: tuple[Area, ...] | None
) -> tuple[Area, ...] | None:
    """What changed in the picture that nobody saw changed in the one after it, too."""
    if skipped.damage is None or damage is None or skipped.agreed != agreed:
        return None
    return skipped.damage + damage


def _nothing() -> None:
    pass
