"""What a probe found, as values and as JSON."""

import json
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Any, Literal, TypeVar

import attrs
import cattrs

from punktfunk.errors import StateDamaged
from punktfunk.model.offers import Availability, HostFacts, Kind, Offer
from punktfunk.registry.discovery import PluginRecord

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class PluginReport:
    """What one plugin answered.

    Attributes:
        record: Its state in the probe child; broken when it crashed or hung there.
        status: Its own word on this machine; None when it has none.
        offers: Available or not. When the plugin failed, its drivers are here all the
            same, unavailable and with the failure as the reason.
        problems: What was wrong with its answers, one sentence each.
        harmful: Importing it brought the probe child down.
    """

    record: PluginRecord
    status: Availability | None = None
    offers: tuple[Offer, ...] = ()
    problems: tuple[str, ...] = ()
    harmful: bool = False


@attrs.frozen(kw_only=True)
class ProbeReport:
    """What every installed plugin answered, in the order of their names."""

    plugins: tuple[PluginReport, ...] = ()

    def offers(self, kind: Kind) -> tuple[Offer, ...]:
        """All offers of one kind, of all plugins."""
        return tuple(
            offer for plugin in self.plugins for offer in plugin.offers if offer.kind is kind
        )

    def plugin_of(self, kind: Kind, driver: str) -> str | None:
        """Name the plugin that offers a driver, so that its settings can be found."""
        for plugin in self.plugins:
            if any(offer.kind is kind and offer.driver == driver for offer in plugin.offers):
                return plugin.record.name
        return None

    def quarantine(self) -> dict[str, str]:
        """Plugins that the host must not import, with the reason; for `load_plugins`."""
        return {
            plugin.record.name: plugin.record.reason for plugin in self.plugins if plugin.harmful
        }

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        plain: dict[str, Any] = converter.unstructure(self)
        return plain

    @classmethod
    def from_json(cls, plain: object) -> "ProbeReport":
        """Read what `to_json` returned.

        Raises:
            StateDamaged: it is not that; probe again.
        """
        try:
            return converter.structure(plain, cls)
        except Exception as error:
            message = f"the saved probe report cannot be read: {structure_problem(error)}"
            raise StateDamaged(message) from error


@attrs.frozen(kw_only=True)
class ProbeRequest:
    """What the probe child is told on its standard input.

    Attributes:
        ask: The plugins to ask, in this order. No other is imported.
    """

    facts: HostFacts
    ask: tuple[str, ...]


@attrs.frozen(kw_only=True)
class ProbeBegins:
    """The child's line before it does something that may bring it down.

    Attributes:
        step: It is about to import the plugin, or has imported it and asks it.
    """

    begins: str
    step: Literal["import", "ask"]


@attrs.frozen(kw_only=True)
class ProbeAnswer:
    """The child's line about a plugin it has asked.

    Attributes:
        failures: By kind, why its offers of that kind are missing.
    """

    record: PluginRecord
    status: Availability | None = None
    offers: tuple[Offer, ...] = ()
    failures: dict[Kind, str] = attrs.field(factory=dict)
    problems: tuple[str, ...] = ()


def to_line(value: object) -> bytes:
    """Write one message as one line of JSON."""
    return json.dumps(converter.unstructure(value)).encode() + b"\n"


def from_line(line: bytes, answer: type[T]) -> ProbeBegins | T:
    """Read one line of the child's.

    Args:
        answer: What its answers are.

    Raises:
        ValueError: it is not a message; the text says where it is wrong.
    """
    try:
        plain = json.loads(line)
        if isinstance(plain, dict) and "begins" in plain:
            return converter.structure(plain, ProbeBegins)
        return converter.structure(plain, answer)
    except Exception as error:
        raise ValueError(structure_problem(error)) from error


def checked_offer(offer: Offer) -> Offer:
    """Return the offer as it arrives on the other side.

    Raises:
        ValueError: a field has the wrong type; the text says which.
    """
    return there_and_back(offer, Offer)


def checked_status(status: object) -> Availability:
    """Return the status as it arrives on the other side.

    Raises:
        ValueError: it is not an Availability, or a field has the wrong type.
    """
    return there_and_back(status, Availability)


def there_and_back(value: object, wanted: type[T]) -> T:
    """Return a value as it arrives on the other side.

    Raises:
        ValueError: it is not of that type, or a field of it is not.
    """
    if not isinstance(value, wanted):
        raise ValueError(f"a {type(value).__name__} is not of type {wanted.__name__}")
    try:
        return converter.structure(json.loads(json.dumps(converter.unstructure(value))), wanted)
    except Exception as error:
        raise ValueError(structure_problem(error)) from error


def structure_problem(error: BaseException) -> str:
    """Put what cattrs complains about into one line."""
    return "; ".join(cattrs.transform_error(error))


def _make_converter() -> cattrs.Converter:
    made = cattrs.Converter(
        forbid_extra_keys=True, unstruct_collection_overrides={AbstractSet: sorted}
    )
    for plain in (str, int, bool):
        made.register_structure_hook(plain, _strictly)
    made.register_structure_hook_func(lambda wanted: wanted is object, lambda value, _: value)
    return made


def _strictly(value: object, wanted: type) -> object:
    # cattrs would turn None into "None" and "yes" into True. It also brings us every StrEnum.
    plain = str if issubclass(wanted, StrEnum) else wanted
    if type(value) is not plain:
        raise TypeError(f"{value!r} is not a {plain.__name__}")
    return wanted(value)


converter = _make_converter()
