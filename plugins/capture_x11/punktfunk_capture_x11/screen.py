"""What an X server says of its screen: what changed, where the pointer is, the pixels."""

from typing import Any

import attrs
import xcffib
import xcffib.damage
import xcffib.shm
import xcffib.xfixes
import xcffib.xinput

from punktfunk.plugin import Area
from punktfunk_capture_x11.areas import NO_ROWS, read_region
from punktfunk_capture_x11.buffers import BYTES_PER_PIXEL, Buffer
from punktfunk_capture_x11.connection import Connection
from punktfunk_capture_x11.cursor import CursorImage
from punktfunk_capture_x11.monitors import area_of

_GENERIC = 35
_CURSOR_SHAPE = 1
_ALL_PLANES = 0xFFFF_FFFF
_Z_PIXMAP = 2
_ALL_MASTER_DEVICES = 1
_RAW_MOTION = 1 << 17


class Screen:
    """The root window of a connection. Takes the connection over, and closes it on failure.

    Args:
        monitor: Show its part only; empty for all there is.
    """

    def __init__(self, connection: Connection, monitor: str = "") -> None:
        self.connection = connection
        self._monitor = monitor
        try:
            self._subscribe()
        except BaseException:
            connection.close()
            raise
        self._area: Area | None = None
        self._cursor: CursorImage | None = None

    def _subscribe(self) -> None:
        connection, root = self.connection, self.connection.root
        self._shm = connection.extension(xcffib.shm)
        self._xfixes = connection.extension(xcffib.xfixes, 5, 0)
        self._damage = connection.extension(xcffib.damage, 1, 1)
        devices = connection.extension(xcffib.xinput, 2, 2)
        self._damage_event = connection.first_event(xcffib.damage)
        self._cursor_event = connection.first_event(xcffib.xfixes) + _CURSOR_SHAPE
        self._changes: int = connection.x.generate_id()
        self._region: int = connection.x.generate_id()
        non_empty = xcffib.damage.ReportLevel.NonEmpty
        self._damage.Create(self._changes, root, non_empty)
        self._xfixes.CreateRegion(self._region, 0, [])
        self._xfixes.SelectCursorInput(root, 1)
        wanted = xcffib.xinput.EventMask.synthetic(_ALL_MASTER_DEVICES, 1, [_RAW_MOTION])
        devices.XISelectEvents(root, 1, [wanted])
        self._moved_events = connection.watch_size()

    def changed(self) -> bool:
        """Say whether anything worth a look was told since the last time. Does not wait."""
        kinds = self.connection.events()
        moved = kinds & self._moved_events
        if moved:
            self._area = None
        if self._cursor_event in kinds:
            self._cursor = None
        return bool(moved or kinds & {_GENERIC, self._cursor_event, self._damage_event})

    def area(self) -> Area:
        """What is shown of the screen."""
        if self._area is None:
            self._area = area_of(self.connection, self._monitor)
        return self._area

    def forget_area(self) -> None:
        """Have the server asked again."""
        self._area = None

    def look(self) -> tuple[tuple[Area, ...], CursorImage, Area]:
        """What changed since the last time, the pointer's picture, and where that is."""
        region = self._ask_region()
        pointer = self.connection.core.QueryPointer(self.connection.root)
        shape = self._xfixes.GetCursorImage() if self._cursor is None else None
        areas = self._seen(read_region(self.connection.reply_bytes(region)))
        place = self.connection.reply(pointer)
        if shape is not None:
            self._cursor = self._read_cursor(shape)
        assert self._cursor is not None
        shown = self.area()
        x, y = place.root_x - shown.left_px, place.root_y - shown.top_px
        return areas, self._cursor, self._cursor.area_at(x, y)

    def fetch(self, segment: int, buffer: Buffer, width_px: int) -> tuple[Area, ...]:
        """Bring a picture up to date.

        Returns:
            What changed meanwhile: the picture may show it or not.

        Raises:
            xcffib.Error: the screen is smaller by now.
        """
        top, bottom = buffer.outdated
        if top == bottom:
            return ()
        offset = buffer.offset + top * width_px * BYTES_PER_PIXEL
        shown = self.area()
        place = (shown.left_px, shown.top_px + top, width_px, bottom - top)
        picture = self._shm.GetImage(
            self.connection.root, *place, _ALL_PLANES, _Z_PIXMAP, segment, offset
        )
        region = self._ask_region()
        try:
            self.connection.reply(picture)
        finally:
            late = self._seen(read_region(self.connection.reply_bytes(region)))
        buffer.outdated = NO_ROWS
        return late

    def detach(self, segment: int) -> None:
        """Have the server forget shared memory."""
        self._shm.Detach(segment)

    def _seen(self, areas: tuple[Area, ...]) -> tuple[Area, ...]:
        """Count from the corner of what is shown, not from the screen's."""
        shown = self.area()
        return tuple(
            attrs.evolve(it, left_px=it.left_px - shown.left_px, top_px=it.top_px - shown.top_px)
            for it in areas
        )

    def _read_cursor(self, cookie: Any) -> CursorImage:
        try:
            return CursorImage.read(self.connection.reply_bytes(cookie))
        except xcffib.Error:
            # The program that made it is gone: some servers show such a cursor to nobody.
            return CursorImage.invisible()

    def _ask_region(self) -> Any:
        """Take what changed away from the server's list, and ask for it."""
        self._damage.Subtract(self._changes, 0, self._region)
        return self._xfixes.FetchRegion(self._region)
