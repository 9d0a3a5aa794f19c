"""What looking after the host is about, as values."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from punktfunk.config.chain import Explained
from punktfunk.model.offers import Availability, Offer
from punktfunk.registry.report import PluginReport


@attrs.frozen(kw_only=True)
class Examined:
    """Attributes:
    unix_s: When the doctor had finished.
    report: As `punktfunk doctor --json` says it.
    """

    unix_s: float
    report: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Outlook:
    """What a launch of the desktop would take now.

    Attributes:
        attach: Of the desktop that already runs; else on a display of its own.
        chosen: The settings want this way.
        takes: One offer a kind, in the order of their kinds; empty when it would be refused.
        problem: Why it would be refused; else empty.
    """

    attach: bool
    chosen: bool
    takes: tuple[Offer, ...] = ()
    problem: str = ""

    @property
    def way(self) -> str:
        return "attach" if self.attach else "own"


@attrs.frozen(kw_only=True)
class OfferInfo:
    """One thing a plugin could run here, or why it cannot.

    Attributes:
        taken_for: The ways of launching that would take it, see `Outlook.way`.
    """

    kind: str
    driver: str
    title: str
    available: bool
    reason: str
    hint: str
    rank: int
    attaches: bool
    taken_for: tuple[str, ...]

    @classmethod
    def of(cls, offer: Offer, outlooks: Sequence[Outlook]) -> "OfferInfo":
        return cls(
            kind=offer.kind.value,
            driver=offer.driver,
            title=offer.title,
            available=offer.availability.available,
            reason=offer.availability.reason,
            hint=offer.availability.hint,
            rank=offer.rank,
            attaches=offer.attaches,
            taken_for=tuple(it.way for it in outlooks if offer in it.takes),
        )


@attrs.frozen(kw_only=True)
class PluginInfo:
    """An installed plugin.

    Attributes:
        reason: Why it is not loaded; empty when it is.
        status: Its own word on this machine, if it has one.
        problems: What was wrong with its answers.
    """

    name: str
    title: str
    distribution: str
    version: str
    api: int | None
    state: str
    reason: str
    status: Availability | None
    offers: tuple[OfferInfo, ...]
    problems: tuple[str, ...]

    @classmethod
    def of(cls, report: PluginReport, outlooks: Sequence[Outlook]) -> "PluginInfo":
        record = report.record
        return cls(
            name=record.name,
            title=record.title,
            distribution=record.distribution,
            version=record.version,
            api=record.api,
            state=record.state.value,
            reason=record.reason,
            status=report.status,
            offers=tuple(OfferInfo.of(offer, outlooks) for offer in report.offers),
            problems=report.problems,
        )


def plugin_infos(
    reports: Iterable[PluginReport], outlooks: Sequence[Outlook]
) -> Sequence[PluginInfo]:
    return [PluginInfo.of(report, outlooks) for report in reports]


@attrs.frozen(kw_only=True)
class ConfigPatch:
    """Attributes:
    set: New values by `section.name`; for `hook` and the like a list of tables.
    unset: Keys to take out of the file.
    """

    set: dict[str, Any] = attrs.field(factory=dict)
    unset: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class OverridePut:
    """What sessions of an app, a client or both shall get of their own, and nothing else.

    Attributes:
        app: A library id; empty for every app.
        client: A fingerprint; empty for every client.
        settings: By name, as in an `[[override]]`.
        expected: What they are until now; it is refused when they are not. None for whatever.
    """

    app: str = ""
    client: str = ""
    settings: dict[str, Any] = attrs.field(factory=dict)
    expected: dict[str, Any] | None = None


@attrs.frozen(kw_only=True)
class SettingExplained:
    """A value that sessions may have of their own.

    Attributes:
        source: `default`, `file`, `environment` or `flag`.
        place: Such as `config.toml line 4`.
    """

    key: str
    value: Any
    source: str
    place: str

    @classmethod
    def of(cls, explained: Explained) -> "SettingExplained":
        origin = explained.origin
        return cls(
            key=explained.key,
            value=explained.value,
            source=origin.source.value,
            place=origin.place,
        )
