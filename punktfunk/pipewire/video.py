"""Pictures from a PipeWire node, one after the other."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import attrs

from punktfunk.errors import DriverFailed
from punktfunk.model.frames import Area, Frame, Plane
from punktfunk.model.video import VideoMode
from punktfunk.pipewire import library, pods
from punktfunk.pipewire.buffers import Memory
from punktfunk.pipewire.cursor import Cursor
from punktfunk.pipewire.formats import PARAM_FORMAT, PictureFormat, answer, offer
from punktfunk.pipewire.stream import ERROR, UNCONNECTED, Listener, Stream, connect

_ENOUGH_BUFFERS = 4
"""Two may be out, one waits, one is being written. With fewer, pictures are copied."""
_OLDEST_STAMP_NS = 1_000_000_000


@attrs.define(eq=False)
class _Picture:
    memory: Memory
    plane: Plane
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
        cursor: Ask for the pointer beside the picture, and draw it in. Costs a copy.
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
        cursor: bool = False,
        connection: int | None = None,
    ) -> None:
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
        self._stream.connect(fd, node, offer(mode, exact_size=exact_size))

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
            plane = picture.plane
            release = self._releaser(picture.memory)
            if not picture.memory.lasts or len(self._memories) < _ENOUGH_BUFFERS:
                plane = plane.copy()
                release()
                release = _nothing
            return self._frame(picture, plane, picture.damage, release)

    def _take_with_cursor(self, cursor: Cursor, fresh: _Picture | None) -> Frame | None:
        """Draw the pointer into a copy; the picture without it is kept for its next move."""
        damage: tuple[Area, ...] | None = ()
        if fresh is not None:
            self._give_back(self._shown)
            self._shown, damage = fresh, fresh.damage
        shown = self._shown
        if shown is None:
            return None
        plane = shown.plane.copy()
        area = cursor.area(shown.agreed.width_px, shown.agreed.height_px)
        cursor.draw(plane, shown.agreed.format)
        if damage is not None:
            damage += tuple(covered for covered in (self._cursor_area, area) if covered is not None)
        self._cursor_area = area
        if fresh is None:
            shown.taken_ns = time.monotonic_ns()
        return self._frame(shown, plane, damage, _nothing)

    def _frame(
        self,
        picture: _Picture,
        plane: Plane,
        damage: tuple[Area, ...] | None,
        release: Callable[[], None],
    ) -> Frame:
        self._last_ns = max(self._last_ns + 1, picture.taken_ns)
        return Frame(
            format=picture.agreed.format,
            width_px=picture.agreed.width_px,
            height_px=picture.agreed.height_px,
            planes=(plane,),
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
        plane, notes = memory.picture(agreed), memory.notes()
        moved = self._cursor is not None and self._cursor.update(notes.cursor)
        now_ns = time.monotonic_ns()
        if plane is not None:
            taken_ns = notes.taken_ns or now_ns
            if not now_ns - _OLDEST_STAMP_NS < taken_ns <= now_ns:
                taken_ns = now_ns
            changed = None if self._is_first else notes.damage
            self._is_first = False
            plane, agreed, damage = _cropped(plane, agreed, notes.crop, changed)
        with self._changed:
            self._cursor_moved = self._cursor_moved or moved
            if plane is not None:
                skipped = self._waiting
                if skipped is not None:
                    damage = _both(skipped, agreed, damage)
                self._waiting = _Picture(memory, plane, agreed, taken_ns, damage)
                self._give_back(skipped)
            self._changed.notify_all()
        return plane is not None


def _cropped(
    plane: Plane, agreed: PictureFormat, crop: Area | None, damage: tuple[Area, ...] | None
) -> tuple[Plane, PictureFormat, tuple[Area, ...] | None]:
    whole = Area(0, 0, agreed.width_px, agreed.height_px)
    if crop is None or crop == whole:
        return plane, agreed, damage
    right, bottom = crop.left_px + crop.width_px, crop.top_px + crop.height_px
    if crop.left_px < 0 or crop.top_px < 0 or right > whole.width_px or bottom > whole.height_px:
        return plane, agreed, damage
    plane = plane[crop.top_px : bottom, 4 * crop.left_px : 4 * right]
    return plane, PictureFormat(agreed.format, crop.width_px, crop.height_px), None


def _both(
    skipped: _Picture, agreed: PictureFormat, damage: tuple[Area, ...] | None
) -> tuple[Area, ...] | None:
    """What changed in the picture that nobody saw changed in the one after it, too."""
    if skipped.damage is None or damage is None or skipped.agreed != agreed:
        return None
    return skipped.damage + damage


def _nothing() -> None:
    pass
