"""gnome-shell, which greets with its overview: programs would open behind it."""

import logging
import time

from punktfunk.plugin import Bus, BusError

log = logging.getLogger(__name__)

START_S = 20.0
_POLL_S = 0.05
_NAME, _PATH, _OVERVIEW = "org.gnome.Shell", "/org/gnome/Shell", "OverviewActive"
_PROPERTIES = "org.freedesktop.DBus.Properties"


def leave_overview(address: str) -> None:
    """Wait until it has started, and show its desktop. Nothing happens where none runs."""
    try:
        bus = Bus(address)
    except BusError:
        return
    try:
        if bus.owned(_NAME) and not _left(bus):
            log.warning("gnome-shell stays in its overview")
    except BusError as error:
        log.warning("gnome-shell may stay in its overview: %s", error)
    finally:
        bus.close()


def _left(bus: Bus) -> bool:
    """It opens the overview as the last part of its start."""
    deadline = time.monotonic() + START_S
    while not bus.get(_NAME, _PATH, _NAME, _OVERVIEW):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    while bus.get(_NAME, _PATH, _NAME, _OVERVIEW):
        bus.call(_NAME, _PATH, _PROPERTIES, "Set", "ssv", _NAME, _OVERVIEW, ("b", False))
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True
