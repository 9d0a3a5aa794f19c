"""Mutter, headless or the running GNOME's. Light to import: drivers load only where they run."""

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
from punktfunk_capture_mutter.probe import attach_availability, own_availability
from punktfunk_capture_mutter.settings import DRIVER, SETTINGS, MutterSettings

manifest = Manifest(
    api=API_VERSION,
    title="Mutter (GNOME)",
    settings=tuple(
        Setting(name=name, type=type(default), default=default, doc=doc)
        for name, default, doc in SETTINGS
    ),
)

RANK = 30
"""Behind wlroots and KWin: without a GPU it draws slower than either."""


@hookimpl
def compositor_offers(host: HostFacts) -> list[Offer]:
    return [
        Offer(
            kind=Kind.COMPOSITOR,
            driver=DRIVER,
            title="the running GNOME session" if attaches else "headless GNOME or Mutter",
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
            title="Mutter screencast",
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
            title="Mutter remote desktop",
            rank=RANK,
            availability=_any_way(host),
            compositors=frozenset({DRIVER}),
            features=frozenset({"pointer", "keyboard", "text", "touch"}),
        )
    ]


def _ways(host: HostFacts) -> tuple[Availability, Availability]:
    """A desktop of the session's own, and the one that runs."""
    wishes = MutterSettings.read(host.settings.get(DRIVER, {}))
    own = own_availability(wishes.program, host.environment.get("PATH"))
    return own, attach_availability(host.environment)


def _any_way(host: HostFacts) -> Availability:
    own, attached = _ways(host)
    return own if own.available or not attached.available else attached
