"""The running desktop as a display: somebody at the machine lets us see it, once."""

import logging
from collections.abc import Mapping
from pathlib import Path

import attrs

from punktfunk.plugin import (
    Bus,
    BusError,
    CompositorDriver,
    Display,
    DisplayWithdrawn,
    DriverFailed,
    DriverUnavailable,
    PunktfunkError,
    Seat,
    VideoMode,
    Witness,
)
from punktfunk_capture_portal.portal import Abilities, Asker, Unanswered
from punktfunk_capture_portal.probe import Found, look
from punktfunk_capture_portal.session import PortalSession
from punktfunk_capture_portal.settings import DRIVER, PortalSettings

log = logging.getLogger(__name__)

_PASSED_ON = (
    *("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR"),
    *("XDG_CURRENT_DESKTOP", "XDG_SESSION_TYPE"),
)


class PortalCompositor(CompositorDriver):
    """Asks the desktop to share a screen, and holds on to it."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._wishes = PortalSettings.read(self.settings)
        self._bus: Bus | None = None
        self._session: PortalSession | None = None
        self._display: Display | None = None
        self._seat: Seat | None = None
        self._witnesses: tuple[Witness, ...] = ()
        self._key = ""
        self._over: DriverFailed | None = None

    def open(self, seat: Seat, mode: VideoMode) -> Display:
        raise DriverUnavailable(
            DRIVER,
            "a portal shows only the desktop that already runs",
            hint='set mode = "attach" in [desktop]',
        )

    def attach(self, seat: Seat, mode: VideoMode) -> Display:
        """May wait for a person, as long as `answer_s` says.

        Raises:
            Unanswered, Declined: by the person at the machine.
            DriverUnavailable: the desktop cannot, or will not.
        """
        environment = seat.host_environment
        self._seat, self._over = seat, None
        runtime = environment.get("XDG_RUNTIME_DIR", "")
        pictures = environment.get("PIPEWIRE_RUNTIME_DIR") or runtime
        self._witnesses = (
            Witness(Path(runtime, environment.get("WAYLAND_DISPLAY", ""))),
            Witness(Path(pictures, "pipewire-0")),
        )
        found = look(environment, self._wishes)
        if not found.availability.available:
            reason, hint = found.availability.reason, found.availability.hint
            raise DriverUnavailable(DRIVER, reason, hint=hint)
        try:
            self._bus = Bus.session(environment)
            self._session = self._share(seat, self._bus, found, mode)
        except BusError as error:
            self.close()
            raise DriverUnavailable(DRIVER, str(error)) from error
        except BaseException:
            self.close()
            raise
        shared = self._session.shared
        if not shared.virtual and shared.size_px is not None:
            mode = attrs.evolve(mode, width_px=shared.size_px[0], height_px=shared.size_px[1])
        self._display = Display(
            compositor=DRIVER,
            mode=mode,
            output=self._session.handle,
            environment={name: environment[name] for name in _PASSED_ON if name in environment},
        )
        return self._display

    def resize(self, mode: VideoMode) -> Display:
        """A screen of the client's own follows; another one stays, and its picture is stretched."""
        if self._session is None or self._display is None:
            raise DriverFailed("the display is not open")
        self._session.resize(mode)
        self._display = attrs.evolve(self._display, mode=mode)
        return self._display

    def check(self) -> None:
        if self._session is None:
            raise DriverFailed("the display is not open")
        if self._over is None:
            try:
                self._session.check()
                return
            except DriverFailed as error:
                self._over = self._verdict(error)
        raise self._over

    def close(self) -> None:
        """End the sharing. A question that is still open goes away with the connection."""
        if self._session is not None:
            self._session.close()
        if self._bus is not None:
            self._bus.close()
        for witness in self._witnesses:
            witness.close()
        self._witnesses = ()
        self._session = self._bus = self._display = None

    def _verdict(self, error: DriverFailed) -> DriverFailed:
        """Why the sharing is over; what the person took back is not asked for with a token."""
        if not isinstance(error, DisplayWithdrawn):
            return error
        if any(it.has_ended for it in self._witnesses):
            return DriverFailed("the desktop that was shared has ended")
        if self._seat is not None and self._key in (tokens := _recall(self._seat)):
            del tokens[self._key]
            _remember(self._seat, tokens)
        return error

    def _share(self, seat: Seat, bus: Bus, found: Found, mode: VideoMode) -> PortalSession:
        """Ask for what was granted last, and keep what asks for it the next time."""
        desktop = seat.host_environment.get("XDG_CURRENT_DESKTOP", "") or "desktop"
        key = self._key = f"{desktop}, picture" if not found.abilities.devices else desktop
        tokens = _recall(seat)
        granted, token = tokens.pop(key, ""), ""
        try:
            session = self._ask(bus, found.abilities, granted, mode)
            token = session.shared.token
        finally:
            # It was good for one time, and for none where it was refused.
            _remember(seat, {**tokens, key: token} if token else tokens)
        asked_for, got = found.abilities.devices, session.shared.devices
        if asked_for & ~got:
            log.warning("the desktop takes less input than was asked for", extra={"devices": got})
        return session

    def _ask(self, bus: Bus, abilities: Abilities, granted: str, mode: VideoMode) -> PortalSession:
        asker, own_screen = Asker(bus, self._wishes.answer_s), self._wishes.own_screen
        if granted:
            try:
                return PortalSession(
                    bus, asker, abilities, own_screen=own_screen, token=granted, mode=mode
                )
            except Unanswered:
                raise
            except (DriverUnavailable, BusError) as error:
                log.info("what was granted holds no more: %s", error)
        return PortalSession(bus, asker, abilities, own_screen=own_screen, token="", mode=mode)


def _recall(seat: Seat) -> dict[str, str]:
    try:
        return dict(seat.recall(DRIVER))
    except PunktfunkError as error:
        log.warning("the desktop will ask again: %s", error)
        return {}


def _remember(seat: Seat, tokens: Mapping[str, str]) -> None:
    try:
        seat.remember(DRIVER, tokens)
    except (PunktfunkError, OSError) as error:
        log.warning("the desktop will ask again the next time: %s", error)
