"""Any desktop with xdg-desktop-portal. Light to import: drivers load only where they run."""

from punktfunk.plugin import API_VERSION, HostFacts, Kind, Manifest, Offer, Setting, hookimpl
from punktfunk_capture_portal.probe import Found, look
from punktfunk_capture_portal.settings import DRIVER, SETTINGS, PortalSettings

manifest = Manifest(
    api=API_VERSION,
    title="Desktop portal",
    settings=tuple(
        Setting(name=name, type=type(default), default=default, doc=doc)
        for name, default, doc in SETTINGS
    ),
)

RANK = 3
"""Behind everything that knows the desktop itself, and asks nobody."""

_last: tuple[HostFacts, Found] | None = None


@hookimpl
def compositor_offers(host: HostFacts) -> list[Offer]:
    return [
        Offer(
            kind=Kind.COMPOSITOR,
            driver=DRIVER,
            title="the running desktop, through its portal",
            rank=RANK,
            attaches=True,
            availability=_look(host).availability,
        )
    ]


@hookimpl
def capture_offers(host: HostFacts) -> list[Offer]:
    return [
        Offer(
            kind=Kind.CAPTURE,
            driver=DRIVER,
            title="portal screencast",
            rank=RANK,
            availability=_look(host).availability,
            compositors=frozenset({DRIVER}),
        )
    ]


@hookimpl
def input_offers(host: HostFacts) -> list[Offer]:
    found = _look(host)
    return [
        Offer(
            kind=Kind.INPUT,
            driver=DRIVER,
            title="portal remote desktop",
            rank=RANK,
            availability=found.availability,
            compositors=frozenset({DRIVER}),
            features=found.features,
        )
    ]


def _look(host: HostFacts) -> Found:
    """Ask the portal once for all three kinds of offer: it may take its time."""
    global _last
    if _last is None or _last[0] is not host:
        _last = host, look(host.environment, PortalSettings.read(host.settings.get(DRIVER, {})))
    return _last[1]
