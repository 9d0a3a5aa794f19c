"""xdg-desktop-portal on one connection: what it can do, and questions that people answer."""

import itertools
import time
from typing import Any

import attrs

from punktfunk.plugin import Bus, BusError, DisplayWithdrawn, DriverUnavailable
from punktfunk_capture_portal.settings import DRIVER

NAME = "org.freedesktop.portal.Desktop"
PATH = "/org/freedesktop/portal/desktop"
SCREENCAST = "org.freedesktop.portal.ScreenCast"
REMOTE_DESKTOP = "org.freedesktop.portal.RemoteDesktop"

KEYBOARD, POINTER, TOUCHSCREEN = 1, 2, 4
MONITOR, VIRTUAL = 1, 4
HIDDEN, EMBEDDED, BESIDE = 1, 2, 4
UNTIL_REVOKED = 2

_REQUEST = "org.freedesktop.portal.Request"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_LOOK_UP_S = 1.0
_START_S = 2.0
"""The first call may have to start it."""
_NOT_THERE = (
    "org.freedesktop.DBus.Error.InvalidArgs",
    "org.freedesktop.DBus.Error.UnknownInterface",
    "org.freedesktop.DBus.Error.UnknownMethod",
)

Options = dict[str, tuple[str, object]]


class Unanswered(DriverUnavailable):
    """Nobody answered the desktop's question in time: somebody has to be at the machine."""

    code = "portal_needs_user"

    def __init__(self, answer_s: float) -> None:
        super().__init__(
            DRIVER,
            f"nobody answered the desktop's question within {answer_s:g} s",
            hint="share the screen in the dialogue on the host's screen, then try again",
        )


class Declined(DisplayWithdrawn):
    """Somebody at the machine said no. Nothing else is tried: they meant it."""

    code = "portal_declined"

    def __init__(self) -> None:
        super().__init__("somebody at the host declined to share the screen")


@attrs.frozen(kw_only=True)
class Abilities:
    """What the desktop's backend brings. A version of 0: it has no such interface."""

    screencast: int = 0
    sources: int = 0
    cursors: int = 0
    remote_desktop: int = 0
    devices: int = 0

    @classmethod
    def read(cls, bus: Bus) -> "Abilities":
        """Ask the portal. No person sees anything of it.

        Raises:
            BusError: it does not answer.
        """
        screencast, remote = (_properties(bus, it) for it in (SCREENCAST, REMOTE_DESKTOP))
        return cls(
            screencast=screencast.get("version", 0),
            sources=screencast.get("AvailableSourceTypes", 0),
            cursors=screencast.get("AvailableCursorModes", EMBEDDED),
            remote_desktop=remote.get("version", 0),
            devices=remote.get("AvailableDeviceTypes", 0),
        )


class Asker:
    """Asks one question after the other; all of them share one deadline."""

    def __init__(self, bus: Bus, answer_s: float) -> None:
        self._bus = bus
        self._answer_s = answer_s
        self._deadline = time.monotonic() + answer_s
        self._sender = bus.unique_name.removeprefix(":").replace(".", "_")
        self._numbers = itertools.count(1)

    def create_session(self, interface: str) -> str:
        """Return the handle of a new session. Raises as `ask` does."""
        token = ("s", self._new_token())
        made = self.ask(interface, "CreateSession", "", options={"session_handle_token": token})
        return str(made["session_handle"])

    def ask(
        self, interface: str, member: str, signature: str, *arguments: object, options: Options
    ) -> dict[str, Any]:
        """Make a request and wait for its response.

        Args:
            signature: Of the arguments before the options.

        Raises:
            Unanswered, Declined: by whoever should have answered.
            DriverUnavailable: the desktop will not do it.
            BusError: the portal is gone, or takes no such request.
        """
        token = self._new_token()
        # The response may come before the call returns: where it will be sent is known before.
        path = f"{PATH}/request/{self._sender}/{token}"
        with self._bus.signals(
            path=path, interface=_REQUEST, member="Response", sender=NAME
        ) as responses:
            self._bus.call(
                *(NAME, PATH, interface, member, f"{signature}a{{sv}}"),
                *arguments,
                {"handle_token": ("s", token), **options},
            )
            while (answer := responses.wait(min(_LOOK_UP_S, self._left_s()))) is None:
                if not self._bus.owned(NAME):
                    raise BusError("xdg-desktop-portal ended")
                if not self._left_s():
                    self._bus.send(NAME, path, _REQUEST, "Close")
                    raise Unanswered(self._answer_s)
        code, results = answer
        if code == 1:
            raise Declined
        if code:
            raise DriverUnavailable(
                DRIVER,
                f"the desktop's portal failed at {member}",
                hint="its log says why: journalctl --user -u 'xdg-desktop-portal*'",
            )
        return {name: value for name, (_, value) in results.items()}

    def _new_token(self) -> str:
        return f"punktfunk{next(self._numbers)}"

    def _left_s(self) -> float:
        return max(0.0, self._deadline - time.monotonic())


def _properties(bus: Bus, interface: str) -> dict[str, Any]:
    try:
        (found,) = bus.call(NAME, PATH, _PROPERTIES, "GetAll", "s", interface, timeout_s=_START_S)
    except BusError as error:
        if error.name in _NOT_THERE:
            return {}
        raise
    return {name: value for name, (_, value) in found.items()}
