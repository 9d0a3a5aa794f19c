"""Keeping the machine awake while somebody plays on it.

Nothing of it goes into the journal: what we hold is a descriptor and a connection, and the
other side lets go of its lock when the kernel closes them with our process.
"""

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Mapping

from punktfunk.dbus import Bus, BusError

log = logging.getLogger(__name__)

_WHO = "punktfunk"
_LIMIT_S = 1.0
_MAX_WORDS = 120


class Inhibitor:
    """Asks in a thread of its own: a launch waits for nobody. Who refuses costs a line in the log.

    Args:
        why: For a person, such as `Deck plays Hades`.
        environment: The session variables of the user who runs the host.
        desktop: Also ask the desktop that runs there not to blank its screen.
    """

    def __init__(self, why: str, environment: Mapping[str, str], *, desktop: bool) -> None:
        self._why = "".join(it if it.isprintable() else " " for it in why)[:_MAX_WORDS]
        self._environment = environment
        self._wishes = [("machine", self._ask_logind)]
        if desktop:
            self._wishes.append(("screen", self._ask_screen_saver))
        self._lock = threading.Lock()
        self._closed = False
        self._releases: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._run, name="inhibitor", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let the machine sleep again. Safe to call twice."""
        with self._lock:
            self._closed = True
            releases, self._releases = self._releases, []
        for release in releases:
            release()

    def _run(self) -> None:
        for what, ask in self._wishes:
            try:
                release = ask()
            except BusError as error:
                log.info("the %s may go to sleep during the session: %s", what, error)
                continue
            with self._lock:
                if not self._closed:
                    self._releases.append(release)
                    continue
            release()

    def _ask_logind(self) -> Callable[[], None]:
        bus = Bus.system(self._environment)
        try:
            try:
                lock = self._lock_of("idle:sleep", bus)
            except BusError as error:
                if not error.name:
                    raise
                # Who is not sitting there may often forbid idling, but not sleeping.
                lock = self._lock_of("idle", bus)
                log.info("the machine may be put to sleep during the session: %s", error)
        finally:
            bus.close()
        return lambda: _close(lock)

    def _lock_of(self, what: str, bus: Bus) -> int:
        (descriptor,) = bus.call(
            "org.freedesktop.login1",
            "/org/freedesktop/login1",
            "org.freedesktop.login1.Manager",
            "Inhibit",
            "ssss",
            *(what, _WHO, self._why, "block"),
            timeout_s=_LIMIT_S,
        )
        return int(descriptor)

    def _ask_screen_saver(self) -> Callable[[], None]:
        bus = Bus.session(self._environment)
        try:
            bus.call(
                "org.freedesktop.ScreenSaver",
                "/org/freedesktop/ScreenSaver",
                "org.freedesktop.ScreenSaver",
                "Inhibit",
                "ss",
                *(_WHO, self._why),
                timeout_s=_LIMIT_S,
            )
        except BaseException:
            bus.close()
            raise
        return bus.close  # it lets go when we leave the bus


def _close(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        os.close(descriptor)
