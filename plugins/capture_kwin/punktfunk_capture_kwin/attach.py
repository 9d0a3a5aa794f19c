"""A screen in the Plasma session that already runs."""

import logging
from collections.abc import Mapping
from pathlib import Path

import attrs

from punktfunk.plugin import Display, DriverFailed, DriverUnavailable, Seat, VideoMode
from punktfunk_capture_kwin.permission import HINT as PERMISSION_HINT
from punktfunk_capture_kwin.protocols import POINTER_EMBEDDED, FakeInput, Screencast
from punktfunk_capture_kwin.screencast import Cast
from punktfunk_capture_kwin.session import running_session
from punktfunk_capture_kwin.settings import DRIVER, PICTURES
from punktfunk_capture_kwin.wayland import Connection

log = logging.getLogger(__name__)

WITH_VIRTUAL_OUTPUTS = 2


def refusal(session: Mapping[str, str]) -> list[str]:
    """The protocols that this KWin hides from us.

    Raises:
        DriverFailed: nobody answers.
    """
    connection = Connection(session)
    try:
        return [wanted.name for wanted in (Screencast, FakeInput) if not connection.has(wanted)]
    finally:
        connection.close()


class AttachedDisplay:
    """The client's own screen where KWin can make one, else one that is there.

    KWin takes its screen away when our connection ends, however it ends: nothing is left to
    undo. On a screen that was there before nothing is changed at all.

    Args:
        wanted: An existing screen to show; empty for one of the client's own.

    Raises:
        DriverUnavailable: no session, no permission, or no such screen.
    """

    def __init__(self, seat: Seat, wanted: str, mode: VideoMode) -> None:
        session = running_session(seat.host_environment)
        if session is None:
            raise DriverUnavailable(
                DRIVER,
                "no Plasma session on Wayland runs for this user",
                hint="log in to Plasma (Wayland)",
            )
        missing = refusal(session)
        if missing:
            raise DriverUnavailable(
                DRIVER,
                f"KWin runs but does not let us use {' and '.join(missing)}",
                hint=PERMISSION_HINT,
            )
        self._environment = {
            **session,
            "XDG_SESSION_TYPE": "wayland",
            "XDG_CURRENT_DESKTOP": "KDE",
            PICTURES: str(Path(session["XDG_RUNTIME_DIR"])),
        }
        self._wish = f"punktfunk-{seat.name}"
        self._connection = Connection(session)
        self._cast: Cast | None = None
        try:
            self.display = Display(
                compositor=DRIVER,
                mode=mode,
                output=self._existing(wanted) if wanted else self._own(mode),
                environment=self._environment,
            )
        except BaseException:
            self.close()
            raise

    def resize(self, mode: VideoMode) -> Display:
        """Replace a screen of our own; what was there before keeps its size."""
        if self._cast is not None:
            self._cast.close()
            self.display = attrs.evolve(self.display, output=self._own(mode))
        self.display = attrs.evolve(self.display, mode=mode)
        return self.display

    def check(self) -> None:
        """Raise `DriverFailed` when KWin or the screen is gone."""
        self._connection.wait(0)
        if self._cast is not None:
            self._cast.check()

    def close(self) -> None:
        if self._cast is not None:
            self._cast.close()
            self._cast = None
        self._connection.close()

    def _existing(self, wanted: str) -> str:
        names = self._connection.output_names()
        if wanted not in names:
            raise DriverUnavailable(
                DRIVER,
                f"the Plasma session has no screen {wanted!r}",
                hint=f"set output to one of: {', '.join(names)}",
            )
        return wanted

    def _own(self, mode: VideoMode) -> str:
        """Have a screen made; fall back to the first one where KWin makes none."""
        before = set(self._connection.output_names())
        screencast = self._connection.bind(Screencast, Screencast.version)
        if self._connection.version(Screencast) >= WITH_VIRTUAL_OUTPUTS:
            stream = screencast.stream_virtual_output(
                self._wish, mode.width_px, mode.height_px, 1.0, POINTER_EMBEDDED
            )
            try:
                self._cast = Cast(self._connection, stream)
            except DriverUnavailable as error:
                log.warning("no screen of the client's own: %s", error.reason)
        names = self._connection.output_names()
        if self._cast is None:
            if not names:
                raise DriverUnavailable(DRIVER, "the Plasma session has no screen at all")
            return names[0]
        made = [name for name in names if name not in before]
        if not made:
            raise DriverFailed("KWin made a screen and does not show it")
        return made[0]
