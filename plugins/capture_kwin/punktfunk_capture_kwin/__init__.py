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
    return [
        Offer(
            kind=Kind.COMPOSITOR,
            driver=DRIVER,
            title="the running Plasma session" if attaches else "headless KWin",
            rank=RANK,
            attaches=bool(attaches),
            availability=availability,
        )
        for attaches, availability in enumerate(_ways(host))
    ]


@hookimpl
def capture_offers(host: HostFacts) -> list[Offer]:
    return [
        Offer(
            kind=Kind.CAPTURE,
            driver=DRIVER,
            title="KWin screencast",
            rank=RANK,
            availability=_any_way(host),
            compositors=frozenset({DRIVER}),
        )
    ]


@hookimpl
def input_offers(host: HostFacts) -> list[Offer]:
    return [
        Offer(
            kind=Kind.INPUT,
            driver=DRIVER,
            title="KWin fake input",
            rank=RANK,
            availability=_any_way(host),
            compositors=frozenset({DRIVER}),
            features=frozenset({"pointer", "keyboard", "touch"}),
        )
    ]


def _ways(host: HostFacts) -> tuple[Availability, Availability]:
    """A KWin of the session's own, and the one that runs."""
    wishes = KwinSettings.read(host.settings.get(DRIVER, {}))
    own = own_availability(wishes.kwin, host.environment.get("PATH"), host.render_nodes)
    return own, attach_availability(host.environment)


def _any_way(host: HostFacts) -> Availability:
    own, attached = _ways(host)
    return own if own.available or not attached.available else attached
