"""What looking after the host is about, as values."""

from typing import Any

import attrs

from punktfunk.config.chain import Explained
from punktfunk.model.offers import Availability, Offer
from punktfunk.registry.report import PluginReport


@attrs.frozen(kw_only=True)
class OfferInfo:
    """One thing a plugin could run here, or why it cannot."""

    kind: str
    driver: str
    title: str
    available: bool
    reason: str
    hint: str

    @classmethod
    def of(cls, offer: Offer) -> "OfferInfo":
        return cls(
            kind=offer.kind.value,
            driver=offer.driver,
            title=offer.title,
            available=offer.availability.available,
            reason=offer.availability.reason,
            hint=offer.availability.hint,
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
    def of(cls, report: PluginReport) -> "PluginInfo":
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
            offers=tuple(OfferInfo.of(offer) for offer in report.offers),
            problems=report.problems,
        )


@attrs.frozen(kw_only=True)
class ConfigPatch:
    """Attributes:
    set: New values by `section.name`; for `hook` and the like a list of tables.
    unset: Keys to take out of the file.
    """

    set: dict[str, Any] = attrs.field(factory=dict)
    unset: tuple[str, ...] = ()


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
