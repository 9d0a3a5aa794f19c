"""Mutter on a message bus: its names, its screens, and one screen that we may use."""

import threading
import time
from contextlib import ExitStack, suppress

from punktfunk.plugin import Bus, BusError, DriverFailed, DriverUnavailable, Signals, VideoMode
from punktfunk_capture_mutter.settings import DRIVER

SCREEN_CAST = "org.gnome.Mutter.ScreenCast"
REMOTE_DESKTOP = "org.gnome.Mutter.RemoteDesktop"
DISPLAY_CONFIG = "org.gnome.Mutter.DisplayConfig"
SERVICES = (SCREEN_CAST, REMOTE_DESKTOP, DISPLAY_CONFIG)

_POINTER_BESIDE = 2
"""Mutter 43 forgets to draw a pointer that moves on a still screen into the picture."""
OLDEST_VERSION = 4
"""Of the screencast: GNOME 42 has this one."""

_SESSION = f"{REMOTE_DESKTOP}.Session"
_ANSWER_S = 10.0
_LAST_WORDS_S = 0.25
"""A Mutter that ends closes its sessions first, and leaves the bus so soon after."""
_CHANGE_S = 2.0
"""What ends so soon after a screen has changed has ended because of that."""
_ACCESS_DENIED = "org.freedesktop.DBus.Error.AccessDenied"
_SAVER, _SAVER_PATH = "org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"
UNLOCK = "unlock the GNOME session"


def path_of(service: str) -> str:
    return "/" + service.replace(".", "/")


def is_up(bus: Bus) -> bool:
    """Whether a Mutter can be used through this bus.

    Raises:
        BusError: the bus is gone.
    """
    return all(bus.owned(name) for name in SERVICES)


def screencast_version(bus: Bus) -> int:
    """Raise `BusError` when it does not say."""
    return int(bus.get(SCREEN_CAST, path_of(SCREEN_CAST), SCREEN_CAST, "Version"))


def is_locked(bus: Bus) -> bool:
    """Whether the session waits for its password; GNOME lets nobody look in then."""
    try:
        if not bus.owned(_SAVER):
            return False
        (locked,) = bus.call(_SAVER, _SAVER_PATH, _SAVER, "GetActive")
    except BusError:
        return False
    return bool(locked)


def screens(bus: Bus) -> dict[str, VideoMode]:
    """The screens that are on, by their connectors' names.

    Raises:
        BusError: Mutter does not answer.
    """
    _, monitors, _, _ = bus.call(
        DISPLAY_CONFIG, path_of(DISPLAY_CONFIG), DISPLAY_CONFIG, "GetCurrentState"
    )
    return {
        connector: VideoMode(width_px=width, height_px=height, refresh_mhz=round(rate * 1_000))
        for (connector, _, _, _), modes, _ in monitors
        for _, width, height, rate, _, _, properties in modes
        if "is-current" in properties
    }


class Cast:
    """One screen, streamed and steered, as long as this lives.

    Mutter knows who asked: when our connection ends, however it ends, the stream ends, a
    screen made for it goes away, and keys that are down go up. For any thread.

    Attributes:
        node: PipeWire's number of the pictures.
        stopped: Somebody ended this: Mutter is still there and not locked, and the screen, where
            it was there before, has not just changed its place or size.

    Args:
        bus: Taken over, and closed with this.
        connector: The screen to show; empty for a new one, which has the size that a
            consumer asks PipeWire for and comes when one does.

    Raises:
        DriverUnavailable: Mutter says no; its own words are the reason.
    """

    def __init__(self, bus: Bus, connector: str = "") -> None:
        self._bus = bus
        self._lock = threading.Lock()
        self._gone = ""
        self._changes: Signals | None = None
        self._changed_s = -_CHANGE_S
        self.stopped = False
        self._ended = ExitStack()
        self._ended.callback(bus.close)
        try:
            self._begin(connector)
        except BusError as error:
            locked = is_locked(bus)
            self.close()
            hint = UNLOCK if locked or error.name == _ACCESS_DENIED else ""
            raise DriverUnavailable(DRIVER, f"Mutter refuses: {error}", hint=hint) from error
        except BaseException:
            self.close()
            raise

    def send(self, member: str, signature: str, *arguments: object) -> None:
        """Steer; nobody says whether it worked.

        Raises:
            DriverFailed: Mutter is gone, or has ended this.
        """
        self.check()
        try:
            with self._lock:
                self._bus.send(
                    REMOTE_DESKTOP, self._remote, _SESSION, member, signature, *arguments
                )
        except BusError as error:
            raise DriverFailed(str(error)) from error

    def send_at(self, member: str, signature: str, *arguments: object) -> None:
        """As `send`, for what happens at a place of the screen."""
        self.send(member, f"s{signature}", self._stream, *arguments)

    def check(self) -> None:
        """Raise `DriverFailed` when Mutter is gone, or has ended this."""
        try:
            with self._lock:
                closed = not self._gone and self._closed.wait(0) is not None
                if closed:
                    time.sleep(_LAST_WORDS_S)
                if not self._gone and (change := self._owners.wait(0)) is not None:
                    self._gone = "" if change[2] else "Mutter is gone"
                while not self._gone and self._changes and self._changes.wait(0) is not None:
                    self._changed_s = time.monotonic()
                if not self._gone and closed:
                    self._gone = "GNOME ended the screencast"
                    changed = time.monotonic() - self._changed_s < _CHANGE_S
                    self.stopped = not changed and not is_locked(self._bus)
        except BusError as error:
            raise DriverFailed(str(error)) from error
        if self._gone:
            raise DriverFailed(self._gone)

    def screens(self) -> dict[str, VideoMode]:
        """The screens that are on.

        Raises:
            DriverFailed: Mutter does not answer.
        """
        try:
            with self._lock:
                return screens(self._bus)
        except BusError as error:
            raise DriverFailed(f"Mutter does not answer: {error}") from error

    def close(self) -> None:
        """Safe to call twice."""
        with self._lock:
            self._gone = self._gone or "the screencast is closed"
            self._ended.close()

    def _begin(self, connector: str) -> None:
        bus, hear = self._bus, self._ended.enter_context
        self._owners = hear(
            bus.signals(
                path="/org/freedesktop/DBus",
                interface="org.freedesktop.DBus",
                member="NameOwnerChanged",
                sender="org.freedesktop.DBus",
                about=REMOTE_DESKTOP,
            )
        )
        if connector:
            self._changes = hear(
                bus.signals(
                    path=path_of(DISPLAY_CONFIG), interface=DISPLAY_CONFIG, member="MonitorsChanged"
                )
            )
        (self._remote,) = bus.call(
            REMOTE_DESKTOP, path_of(REMOTE_DESKTOP), REMOTE_DESKTOP, "CreateSession"
        )
        self._closed = hear(bus.signals(path=self._remote, interface=_SESSION, member="Closed"))
        name = bus.get(REMOTE_DESKTOP, self._remote, _SESSION, "SessionId")
        (session,) = bus.call(
            *(SCREEN_CAST, path_of(SCREEN_CAST), SCREEN_CAST, "CreateSession"),
            *("a{sv}", {"remote-desktop-session-id": ("s", name)}),
        )
        wishes = {"cursor-mode": ("u", _POINTER_BESIDE)}
        whole = f"{SCREEN_CAST}.Session"
        if connector:
            asked = "RecordMonitor"
            answer = bus.call(SCREEN_CAST, session, whole, asked, "sa{sv}", connector, wishes)
        else:
            asked = "RecordVirtual"
            answer = bus.call(SCREEN_CAST, session, whole, asked, "a{sv}", wishes)
        (self._stream,) = answer
        with bus.signals(
            path=self._stream, interface=f"{SCREEN_CAST}.Stream", member="PipeWireStreamAdded"
        ) as added:
            bus.call(REMOTE_DESKTOP, self._remote, _SESSION, "Start")
            number = added.wait(_ANSWER_S)
        if number is None:
            raise BusError(f"{asked} gave no stream within {_ANSWER_S:g} s")
        (self.node,) = number
        self._ended.callback(self._stop)

    def _stop(self) -> None:
        with suppress(BusError):
            self._bus.call(REMOTE_DESKTOP, self._remote, _SESSION, "Stop")
