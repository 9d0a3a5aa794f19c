"""Can the desktop share its screen with us? Asks nobody anything."""

from collections.abc import Mapping

import attrs

from punktfunk.plugin import Availability, Bus, BusError, pipewire_availability
from punktfunk_capture_portal.portal import (
    KEYBOARD,
    NAME,
    POINTER,
    TOUCHSCREEN,
    VIRTUAL,
    Abilities,
)
from punktfunk_capture_portal.settings import PortalSettings

INSTALL_HINT = (
    "install xdg-desktop-portal and your desktop's backend, such as xdg-desktop-portal-kde"
)
BACKEND_HINT = "install your desktop's backend, such as xdg-desktop-portal-gnome, and log in anew"
VIEW_ONLY_HINT = (
    "use the desktop's own plugin, or set view_only = true in [plugin.portal] to share the "
    "picture alone"
)
REMEMBERS_INPUT, REMEMBERS_PICTURE = 2, 4
"""Versions of RemoteDesktop and ScreenCast that ask only once."""

_WORDS = {KEYBOARD: "keyboard", POINTER: "pointer", TOUCHSCREEN: "touch"}


@attrs.frozen
class Found:
    availability: Availability
    abilities: Abilities = attrs.field(factory=Abilities)

    @property
    def features(self) -> frozenset[str]:
        """What its input can do."""
        features = {word for bit, word in _WORDS.items() if self.abilities.devices & bit}
        return frozenset(features | ({"text"} if "keyboard" in features else set()))


def look(environment: Mapping[str, str], wishes: PortalSettings) -> Found:
    """Find out what sharing the running desktop would be like."""
    library = pipewire_availability()
    if not library.available:
        return Found(library)
    try:
        bus = Bus.session(environment)
    except BusError as error:
        return _no(str(error), "log in to the desktop, and run the host as the same user")
    try:
        if not bus.owned(NAME):
            if not _is_startable(bus):
                return _no("xdg-desktop-portal is not installed", INSTALL_HINT)
            if not (environment.get("WAYLAND_DISPLAY") or environment.get("DISPLAY")):
                # Started now it would find no desktop, and stay useless for the one to come.
                return _no("no desktop runs for this user", "log in to the desktop")
        return judge(Abilities.read(bus), wishes)
    except BusError as error:
        return _no(f"xdg-desktop-portal does not answer: {error}", BACKEND_HINT)
    finally:
        bus.close()


def judge(abilities: Abilities, wishes: PortalSettings) -> Found:
    """Say what these abilities are good for."""
    if not abilities.screencast or not abilities.sources:
        return _no("this desktop's portal has no ScreenCast", BACKEND_HINT)
    if wishes.view_only:
        abilities = attrs.evolve(abilities, remote_desktop=0, devices=0)
    elif not abilities.devices:
        return _no("this desktop's portal shares the picture and takes no input", VIEW_ONLY_HINT)
    own = wishes.own_screen and abilities.sources & VIRTUAL
    remark = "a screen of the client's own" if own else "an existing screen"
    if wishes.view_only:
        remark += "; the picture alone, as view_only says"
    if not remembers(abilities):
        remark += "; somebody at the host is asked each time"
    else:
        remark += "; somebody at the host is asked once"
    return Found(Availability.yes(remark), abilities)


def remembers(abilities: Abilities) -> bool:
    """Whether an answer holds for later sessions, too."""
    if abilities.remote_desktop:
        return abilities.remote_desktop >= REMEMBERS_INPUT
    return abilities.screencast >= REMEMBERS_PICTURE


def _no(reason: str, hint: str) -> Found:
    return Found(Availability.no(reason, hint))


def _is_startable(bus: Bus) -> bool:
    name = "org.freedesktop.DBus"
    (names,) = bus.call(name, "/org/freedesktop/DBus", name, "ListActivatableNames")
    return NAME in names
