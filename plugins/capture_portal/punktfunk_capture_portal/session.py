"""A screen that the desktop shares with us, and the way in for input."""

import threading
import time
from contextlib import ExitStack, suppress
from typing import Any

import attrs

from punktfunk.plugin import (
    Bus,
    BusError,
    Display,
    DisplayWithdrawn,
    DriverFailed,
    DriverUnavailable,
    PointerArea,
    VideoMode,
)
from punktfunk_capture_portal.notices import Notice, Notices
from punktfunk_capture_portal.portal import (
    BESIDE,
    EMBEDDED,
    HIDDEN,
    MONITOR,
    NAME,
    PATH,
    REMOTE_DESKTOP,
    SCREENCAST,
    UNTIL_REVOKED,
    VIRTUAL,
    Abilities,
    Asker,
    Options,
)
from punktfunk_capture_portal.probe import remembers
from punktfunk_capture_portal.settings import DRIVER

_SESSION = "org.freedesktop.portal.Session"
_INPUT_S = 2.0
_LAST_WORDS_S = 0.25
"""A portal that ends closes its sessions first, and leaves the bus so soon after."""
_GONE = "the desktop's portal is gone"

_sessions: dict[str, "PortalSession"] = {}
"""By what a display calls its output. A session belongs to the connection that made it, so
that the drivers of a worker have to share it."""


@attrs.frozen(kw_only=True)
class Shared:
    """What the desktop gave us.

    Attributes:
        devices: Bits of what may be sent to it.
        size_px: Of the screen in the desktop's own units; None where it does not say.
        token: Asks for the same again without a question; empty: not given.
    """

    node: int
    virtual: bool
    devices: int
    size_px: tuple[int, int] | None
    token: str = attrs.field(default="", repr=False)


class PortalSession:
    """From the question to the end of the sharing. Its methods may be called by any thread.

    Args:
        token: What was granted last time; empty to be asked anew.
        mode: The size of a screen of the client's own.

    Raises:
        Unanswered, Declined, DriverUnavailable: nothing is shared.
        BusError: the portal is gone.
    """

    def __init__(
        self,
        bus: Bus,
        asker: Asker,
        abilities: Abilities,
        *,
        own_screen: bool,
        token: str,
        mode: VideoMode,
    ) -> None:
        self._bus = bus
        self._lock = threading.Lock()
        self._listening = ExitStack()
        self._portal = bus.owner(NAME)
        self.cursor = next((it for it in (EMBEDDED, BESIDE) if abilities.cursors & it), HIDDEN)
        interface = REMOTE_DESKTOP if abilities.remote_desktop else SCREENCAST
        self.handle = asker.create_session(interface)
        try:
            self._closed = self._listening.enter_context(
                bus.signals(path=self.handle, interface=_SESSION, member="Closed")
            )
            self._select(asker, abilities, own_screen, token)
            results = asker.ask(interface, "Start", "os", self.handle, "", options={})
            self.shared = _read(results)
        except BaseException:
            self.close()
            raise
        self._size_px = self.shared.size_px or (mode.width_px, mode.height_px)
        self._notices = Notices(self._send)
        _sessions[self.handle] = self

    def resize(self, mode: VideoMode) -> None:
        """A screen of the client's own takes the size of its pictures."""
        if self.shared.virtual:
            self._size_px = (mode.width_px, mode.height_px)

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Where on the shared screen a place on the picture (0..1) is."""
        return PointerArea(0, 0, *self._size_px).point(x, y)

    def notify(self, member: str, signature: str, *arguments: object) -> None:
        """Send input; does not wait for anything.

        Raises:
            DriverFailed: the portal is gone.
        """
        self._notices.put(member, signature, *arguments)

    def open_pictures(self) -> int:
        """Return a new connection to the PipeWire that has the picture, for the caller to close.

        Raises:
            DriverFailed: the sharing is over.
        """
        with self._lock:
            try:
                (fd,) = self._bus.call(
                    *(NAME, PATH, SCREENCAST, "OpenPipeWireRemote", "oa{sv}", self.handle, {})
                )
            except BusError as error:
                raise DriverFailed(f"{_GONE}: {error}") from error
        return int(fd)

    def check(self) -> None:
        """Look whether something is shared.

        Raises:
            DisplayWithdrawn: not any more, by the will of the person at the machine.
            DriverFailed: not any more; the portal is gone.
        """
        with self._lock:
            try:
                closed = self._closed.wait(0) is not None
                if closed:
                    time.sleep(_LAST_WORDS_S)
                if not self._bus.owned(self._portal):
                    raise DriverFailed(_GONE)
                if closed:
                    raise DisplayWithdrawn("the user at the host ended the sharing")
            except BusError as error:
                raise DriverFailed(f"{_GONE}: {error}") from error

    def close(self) -> None:
        """End the sharing. The connection stays open."""
        if _sessions.pop(self.handle, None) is not None:
            self._notices.close()
        with self._lock, suppress(BusError):
            self._bus.send(NAME, self.handle, _SESSION, "Close")
            self._listening.close()

    def _send(self, notice: Notice) -> None:
        member, signature, arguments = notice
        with self._lock:
            self._bus.call(
                *(NAME, PATH, REMOTE_DESKTOP, f"Notify{member}", f"oa{{sv}}{signature}"),
                *(self.handle, {}, *arguments),
                timeout_s=_INPUT_S,
            )

    def _select(self, asker: Asker, abilities: Abilities, own_screen: bool, token: str) -> None:
        again: Options = {}
        if remembers(abilities):
            again = {"persist_mode": ("u", UNTIL_REVOKED)}
            if token:
                again |= {"restore_token": ("s", token)}
        if abilities.remote_desktop:
            devices: Options = {"types": ("u", abilities.devices), **again}
            asker.ask(REMOTE_DESKTOP, "SelectDevices", "o", self.handle, options=devices)
            again = {}
        own = own_screen and abilities.sources & VIRTUAL
        sources: Options = {
            "types": ("u", VIRTUAL if own else MONITOR),
            "multiple": ("b", False),
            "cursor_mode": ("u", self.cursor),
            **again,
        }
        asker.ask(SCREENCAST, "SelectSources", "o", self.handle, options=sources)


def session_of(display: Display) -> PortalSession:
    """The session that a display was made from.

    Raises:
        DriverUnavailable: it is over, or was none of ours.
    """
    session = _sessions.get(display.output)
    if session is None:
        raise DriverUnavailable(DRIVER, "the desktop shares no screen with this session")
    return session


def _read(results: dict[str, Any]) -> Shared:
    streams = results.get("streams") or []
    if not streams:
        raise DriverUnavailable(DRIVER, "the desktop shares no screen", hint="choose one there")
    node, about = streams[0]
    properties = {name: value for name, (_, value) in about.items()}
    size_px = properties.get("size")
    return Shared(
        node=node,
        virtual=properties.get("source_type", MONITOR) == VIRTUAL,
        devices=results.get("devices", 0),
        size_px=size_px if size_px and all(it > 0 for it in size_px) else None,
        token=str(results.get("restore_token", "")),
    )
