"""A sway per session, or the running wlroots desktop. Light to import: drivers load later."""

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
from punktfunk_capture_wlroots.ledger import EFFECT, undo_output
from punktfunk_capture_wlroots.probe import (
    attach_availability,
    keyboard_availability,
    sway_availability,
)
from punktfunk_capture_wlroots.settings import SETTINGS, WlrootsSettings

DRIVER = "wlroots"

manifest = Manifest(
    api=API_VERSION,
    title="wlroots desktops (sway)",
    settings=tuple(
        Setting(name=name, type=type(default), default=default, doc=doc)
        for name, default, doc in SETTINGS
    ),
)


@hookimpl
def compositor_offers(host: HostFacts) -> list[Offer]:
    return [
        Offer(
            kind=Kind.COMPOSITOR,
            driver=DRIVER,
            title="headless sway",
            rank=50,
            availability=_own_availability(host),
        ),
        Offer(
            kind=Kind.COMPOSITOR,
            driver=DRIVER,
            title="the running wlroots desktop",
            rank=50,
            attaches=True,
            availability=attach_availability(host.environment),
        ),
    ]


@hookimpl
def capture_offers(host: HostFacts) -> list[Offer]:
    availability = own = _own_availability(host)
    if not own.available:
        attached = attach_availability(host.environment)
        availability = attached if attached.available else own
    return [
        Offer(
            kind=Kind.CAPTURE,
            driver=DRIVER,
            title="ext-image-copy-capture or wlr-screencopy",
            rank=50,
            availability=availability,
            compositors=frozenset({DRIVER}),
        )
    ]


@hookimpl
def input_offers(host: HostFacts) -> list[Offer]:
    return [
        Offer(
            kind=Kind.INPUT,
            driver=DRIVER,
            title="virtual pointer and keyboard",
            rank=50,
            availability=keyboard_availability(),
            compositors=frozenset({DRIVER}),
            features=frozenset({"pointer", "keyboard", "text"}),
        )
    ]


@hookimpl
def effect_undo(effect: Effect, host: HostFacts) -> bool:
    return effect.kind == EFFECT and undo_output(effect)


def _own_availability(host: HostFacts) -> Availability:
    settings = WlrootsSettings.read(host.settings.get(DRIVER, {}))
    return sway_availability(settings.sway, host.environment.get("PATH"))
