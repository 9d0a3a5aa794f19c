"""Pictures from a PipeWire node, one after the other."""

import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from punktfunk.errors import DriverFailed
from punktfunk.model.frames import Area, DmaBuf, DmaBufFormat, Frame, Plane
from punktfunk.model.video import PACKED, PixelFormat, VideoMode
from punktfunk.pipewire import library, pods
from punktfunk.pipewire.buffers import Memory
from punktfunk.pipewire.cursor import Cursor
from punktfunk.pipewire.formats import PARAM_FORMAT, PictureFormat, answer, offers
from punktfunk.pipewire.pictures import Picture, changed_since
from punktfunk.pipewire.shapes import cropped, is_cut
from punktfunk.pipewire.stream import ERROR, UNCONNECTED, Listener, Stream, connect

_ENOUGH_BUFFERS = 4
"""Two may be out, one waits, one is being written. With fewer, pictures are copied."""
_OLDEST_STAMP_NS = 1_000_000_000


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
        dmabufs: GPU memory to hand out unread, as `CaptureDriver.take_dmabufs` said; asked for
            before any other, but not with `cursor`. Other GPU memory is read, if it can be,
            and asked for last.
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
        formats: Collection[PixelFormat] = PACKED,
        dmabufs: Collection[DmaBufFormat] = (),
        connection: int | None = None,
    ) -> None:
        if cursor and not set(formats) <= set(PACKED):
            raise ValueError("only packed formats can be drawn into")
        library.load()  # before anything is connected
        fd = connect(runtime / "pipewire-0") if connection is None else connection
        self._interval_ns = mode.frame_interval_ns
        self._next_ns = self._due_ns = self._last_ns = 0
        self._changed = threading.Condition()
        self._gone = ""
        self._agreed: PictureFormat | None = None
        self._dmabufs = () if cursor else tuple(dmabufs)
        self._is_first = True
        self._memories: dict[int, Memory] = {}
        self._waiting: Picture | None = None
        self._shown: Picture | None = None
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
        offered = offers(mode, formats, self._dmabufs, exact_sizes=sizes, exact_rate=exact_rate)
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

    def point(self, left_px: int, top_px: int, image: NDArray[np.uint8] | None) -> None:
        """Draw this pointer: for producers that leave it out of the picture and tell of none.

        Args:
            left_px: Of its corner, on the picture.
            top_px: The same.
            image: Height × width × red, green, blue, alpha; premultiplied. None: no pointer.
        """
        if self._cursor is None:
            raise ValueError("no pointer was asked for")
        with self._stream.locked(), self._changed:
            moved = self._cursor.place(left_px, top_px, image)
            self._cursor_moved = self._cursor_moved or moved

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
            memory, planes = picture.memory, picture.planes
            if planes and (not memory.lasts or len(self._memories) < _ENOUGH_BUFFERS):
                planes = picture.copied()
                self._give_memory_back(memory)
                return self._frame(picture, planes, picture.damage, _nothing)
            if planes:
                memory.begin()
            return self._frame(picture, planes, picture.damage, self._releaser(picture))

    def _take_with_cursor(self, cursor: Cursor, fresh: Picture | None) -> Frame | None:
        """Draw the pointer into a copy; the picture without it is kept for its next move."""
        damage: tuple[Area, ...] | None = ()
        if fresh is not None:
            self._give_back(self._shown)
            self._shown, damage = fresh, fresh.damage
        shown = self._shown
        if shown is None:
            return None
        (plane,) = shown.copied()
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
        picture: Picture,
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
            dmabuf=picture.dmabuf,
            captured_ns=self._last_ns,
            damage=damage,
            release=release,
        )

    def _releaser(self, picture: Picture) -> Callable[[], None]:
        memory, is_read = picture.memory, picture.dmabuf is None

        def release() -> None:
            if is_read:
                memory.end()
            if self._stream.is_open:
                with self._stream.locked():
                    self._give_memory_back(memory)

        return release

    def _give_back(self, picture: Picture | None) -> None:
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
            self._agreed = agreed = PictureFormat.read(pods.read_object(pod))
            self._is_first = True
            dmabuf = agreed.modifier == DmaBuf.LINEAR or agreed.is_one_of(self._dmabufs)
            self._stream.update_params(answer(cursor=self._cursor is not None, dmabuf=dmabuf))

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
        notes = memory.notes()
        moved = self._cursor is not None and self._cursor.update(notes.cursor)
        now_ns = time.monotonic_ns()
        picture: Picture | None = None
        if not memory.is_void(notes):
            taken_ns = notes.taken_ns or now_ns
            if not now_ns - _OLDEST_STAMP_NS < taken_ns <= now_ns:
                taken_ns = now_ns
            damage = None if self._is_first else notes.damage
            self._is_first = False
            if memory.on_gpu and agreed.is_one_of(self._dmabufs) and not is_cut(agreed, notes.crop):
                dmabuf = memory.dmabuf(agreed)
                picture = Picture(memory, (), dmabuf, agreed, taken_ns, damage)
            else:
                planes, shown = cropped(memory.picture(agreed), agreed, notes.crop)
                damage = damage if shown is agreed else None
                picture = Picture(memory, planes, None, shown, taken_ns, damage)
        with self._changed:
            self._cursor_moved = self._cursor_moved or moved
            if picture is not None:
                skipped, self._waiting = self._waiting, picture
                if skipped is not None:
                    picture.damage = changed_since(skipped, picture.agreed, picture.damage)
                self._give_back(skipped)
            self._changed.notify_all()
        return picture is not None


def _nothing() -> None:
    pass
