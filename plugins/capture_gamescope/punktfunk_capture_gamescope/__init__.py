"""gamescope, one's own or one that runs. Light to import: drivers load only where they run."""

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
from punktfunk_capture_gamescope.probe import attach_availability, own_availability
from punktfunk_capture_gamescope.settings import DRIVER, SETTINGS, GamescopeSettings

manifest = Manifest(
    api=API_VERSION,
    title="gamescope",
    settings=tuple(
        Setting(name=name, type=type(default), default=default, doc=doc)
        for name, default, doc in SETTINGS
    ),
)

RANK = 5
"""Behind everything that has a desktop: it shows games, and is taken where someone says so."""


@hookimpl
def compositor_offers(host: HostFacts) -> list[Offer]:
    return [
        Offer(
            kind=Kind.COMPOSITOR,
            driver=DRIVER,
            title="gamescope, for a game without a desktop",
            rank=RANK,
            availability=_own(host),
        ),
        Offer(
            kind=Kind.COMPOSITOR,
            driver=DRIVER,
            title="the running gamescope",
            rank=RANK,
            availability=_running(host),
            attaches=True,
        ),
    ]


@hookimpl
def capture_offers(host: HostFacts) -> list[Offer]:
    return [_beside(host, Kind.CAPTURE, "gamescope's PipeWire node", frozenset())]


@hookimpl
def input_offers(host: HostFacts) -> list[Offer]:
    features = frozenset({"pointer", "keyboard"})
    return [_beside(host, Kind.INPUT, "gamescope's emulated input", features)]


def _beside(host: HostFacts, kind: Kind, title: str, features: frozenset[str]) -> Offer:
    own = _own(host)
    return Offer(
        kind=kind,
        driver=DRIVER,
        title=title,
        rank=RANK,
        availability=own if own.available else _either(own, _running(host)),
        compositors=frozenset({DRIVER}),
        features=features,
    )


def _either(own: Availability, running: Availability) -> Availability:
    return running if running.available else own


def _own(host: HostFacts) -> Availability:
    wishes = GamescopeSettings.read(host.settings.get(DRIVER, {}))
    return own_availability(wishes, host.environment.get("PATH"), host.render_nodes)


def _running(host: HostFacts) -> Availability:
    wishes = GamescopeSettings.read(host.settings.get(DRIVER, {}))
    return attach_availability(host.environment, wishes)
