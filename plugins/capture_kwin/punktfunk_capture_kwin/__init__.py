"""KWin, headless or the running Plasma's. Light to import: drivers load only where they run."""

from punktfunk.plugin import (
    API_VERSION,
    Availability,
    HostFacts,
    Kind,
    Manifest,
    Offer,
    Setting,
    hookimpl,
)
from punktfunk_capture_kwin.probe import attach_availability, own_availability
from punktfunk_capture_kwin.settings import DRIVER, SETTINGS, KwinSettings

manifest = Manifest(
    api=API_VERSION,
    title="KWin (Plasma)",
    settings=tuple(
        Setting(name=name, type=type(default), default=default, doc=doc)
        for name, default, doc in SETTINGS
    ),
)

RANK = 40
"""Behind wlroots, which starts faster and needs no GPU to show its whole screen."""


@hookimpl
def compositor_offers(host: HostFacts) -> list[Offer]:
    wishes = KwinSettings.read(host.settings.get(DRIVER, {}))
    title = "the running Plasma session" if wishes.attach else "headless KWin"
    return [
        Offer(
            kind=Kind.COMPOSITOR,
            driver=DRIVER,
            title=title,
            rank=RANK,
            availability=_availability(host, wishes),
        )
    ]


@hookimpl
def capture_offers(host: HostFacts) -> list[Offer]:
    wishes = KwinSettings.read(host.settings.get(DRIVER, {}))
    return [
        Offer(
            kind=Kind.CAPTURE,
            driver=DRIVER,
            title="KWin screencast",
            rank=RANK,
            availability=_availability(host, wishes),
            compositors=frozenset({DRIVER}),
        )
    ]


@hookimpl
def input_offers(host: HostFacts) -> list[Offer]:
    wishes = KwinSettings.read(host.settings.get(DRIVER, {}))
    return [
        Offer(
            kind=Kind.INPUT,
            driver=DRIVER,
            title="KWin fake input",
            rank=RANK,
            availability=_availability(host, wishes),
            compositors=frozenset({DRIVER}),
            features=frozenset({"pointer", "keyboard", "touch"}),
        )
    ]


def _availability(host: HostFacts, wishes: KwinSettings) -> Availability:
    if wishes.attach:
        return attach_availability(host.environment)
    return own_availability(wishes.kwin, host.environment.get("PATH"), host.render_nodes)
