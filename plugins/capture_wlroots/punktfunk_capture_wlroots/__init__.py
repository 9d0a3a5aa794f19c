"""A headless sway per session. Light to import: the drivers load only where they run."""

from punktfunk.plugin import API_VERSION, HostFacts, Kind, Manifest, Offer, Setting, hookimpl
from punktfunk_capture_wlroots.probe import keyboard_availability, sway_availability
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
    settings = WlrootsSettings.read(host.settings.get(DRIVER, {}))
    availability = sway_availability(settings.sway, host.environment.get("PATH"))
    return [
        Offer(
            kind=Kind.COMPOSITOR,
            driver=DRIVER,
            title="headless sway",
            rank=50,
            availability=availability,
        )
    ]


@hookimpl
def capture_offers(host: HostFacts) -> list[Offer]:
    settings = WlrootsSettings.read(host.settings.get(DRIVER, {}))
    availability = sway_availability(settings.sway, host.environment.get("PATH"))
    return [
        Offer(
            kind=Kind.CAPTURE,
            driver=DRIVER,
            title="wlr-screencopy",
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
