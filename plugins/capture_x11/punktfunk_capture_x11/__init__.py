"""X11 desktops. Light to import: the drivers load only where they run."""

import attrs

from punktfunk.plugin import (
    API_VERSION,
    Availability,
    Effect,
    HostFacts,
    Kind,
    Manifest,
    Offer,
    Setting,
    hookimpl,
)
from punktfunk_capture_x11 import displays
from punktfunk_capture_x11.probe import (
    libraries_availability,
    running_availability,
    server_availability,
)
from punktfunk_capture_x11.settings import SETTINGS, X11Settings

DRIVER = "x11"

manifest = Manifest(
    api=API_VERSION,
    title="X11 desktops",
    settings=tuple(
        Setting(name=name, type=type(default), default=default, doc=doc)
        for name, default, doc in SETTINGS
    ),
)


@hookimpl
def compositor_offers(host: HostFacts) -> list[Offer]:
    settings = X11Settings.read(host.settings.get(DRIVER, {}))
    own = server_availability(settings, host.environment.get("PATH"))
    running = running_availability(settings, host.environment)
    return [
        _offer(Kind.COMPOSITOR, "Xvfb", own),
        attrs.evolve(_offer(Kind.COMPOSITOR, "the X server that runs", running), attaches=True),
    ]


@hookimpl
def capture_offers(host: HostFacts) -> list[Offer]:
    return [_offer(Kind.CAPTURE, "MIT-SHM and DAMAGE", libraries_availability())]


@hookimpl
def input_offers(host: HostFacts) -> list[Offer]:
    features = frozenset({"pointer", "keyboard", "text"})
    return [_offer(Kind.INPUT, "XTEST", libraries_availability(), features)]


@hookimpl
def effect_undo(effect: Effect, host: HostFacts) -> bool:
    match effect.kind:
        case displays.EFFECT:
            return displays.undo_display(effect)
        case "x11.input":
            from punktfunk_capture_x11.leftovers import undo_input  # it loads the X library

            return undo_input(effect)
    return False


def _offer(
    kind: Kind, title: str, availability: Availability, features: frozenset[str] = frozenset()
) -> Offer:
    return Offer(
        kind=kind,
        driver=DRIVER,
        title=title,
        # A desktop of Wayland programs does more: it goes first where both can run.
        rank=10,
        availability=availability,
        compositors=frozenset() if kind is Kind.COMPOSITOR else frozenset({DRIVER}),
        features=features,
    )
