"""Which window has the keyboard, and where it is."""

from typing import Any

import attrs

from punktfunk_capture_kwin.protocols import PlasmaWindowManagement
from punktfunk_capture_kwin.wayland import Connection

WITH_UUIDS = 13

_ACTIVE, _MINIMIZED = 1, 2


@attrs.define(eq=False)
class Window:
    uuid: str
    proxy: Any
    state: int = 0
    left_px: int = 0
    top_px: int = 0
    size_px: tuple[int, int] = (0, 0)


class Windows:
    """Kept up to date by the connection's events.

    Raises:
        DriverUnavailable: the compositor does not tell us of windows.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._windows: dict[str, Window] = {}
        self._front = ""
        manager = connection.bind(PlasmaWindowManagement, WITH_UUIDS)
        manager.dispatcher["window_with_uuid"] = self._on_window
        self._manager = manager
        connection.roundtrip()

    @property
    def front(self) -> Window | None:
        """The window that has the keyboard, or had it last; else any that is open."""
        if self._front in self._windows:
            return self._windows[self._front]
        shown = [window for window in self._windows.values() if not window.state & _MINIMIZED]
        return shown[-1] if shown else None

    def _on_window(self, _: Any, number: int, uuid: str) -> None:
        proxy = self._connection.own(self._manager.get_window_by_uuid(uuid))
        window = self._windows[uuid] = Window(uuid, proxy)

        def on_state(_: Any, state: int) -> None:
            window.state = state
            if state & _ACTIVE:
                self._front = uuid

        def on_geometry(_: Any, left: int, top: int, width: int, height: int) -> None:
            window.left_px, window.top_px = left, top
            window.size_px = (width, height)

        def on_unmapped(_: Any) -> None:
            self._windows.pop(uuid, None)
            if not proxy.destroyed:
                proxy.destroy()

        proxy.dispatcher["state_changed"] = on_state
        proxy.dispatcher["geometry"] = on_geometry
        proxy.dispatcher["unmapped"] = on_unmapped
