"""What plugins say they could do here, and what was picked."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

import attrs
from attrs.validators import ge, le

from punktfunk.model.video import Codec


class Kind(StrEnum):
    """The kinds of driver. The value is the last part of the entry-point group."""

    COMPOSITOR = "compositor"
    CAPTURE = "capture"
    ENCODE = "encode"
    AUDIO = "audio"
    AUDIO_ENCODE = "audio_encode"
    INPUT = "input"
    GAMEPAD = "gamepad"


@attrs.frozen
class Availability:
    """Yes, or no with a reason and a hint a person can act on."""

    available: bool
    reason: str = ""
    hint: str = ""

    @classmethod
    def yes(cls, remark: str = "") -> "Availability":
        return cls(True, remark)

    @classmethod
    def no(cls, reason: str, hint: str = "") -> "Availability":
        return cls(False, reason, hint)


def _words(values: Iterable[str]) -> frozenset[str]:
    return frozenset(values)


def _codecs(values: Iterable[Codec]) -> frozenset[Codec]:
    return frozenset(values)


@attrs.frozen(kw_only=True)
class Offer:
    """One thing a plugin could run on this machine, available or not.

    Attributes:
        driver: Entry-point name in the group `punktfunk.<kind>`.
        rank: 100 native hardware, 50 generic hardware, 10 software, 0 test only (never
            picked unless asked for by name).
        attaches: For compositors: it shows the desktop that already runs. Which of the two
            ways a session wants is a setting; a driver that can do both is offered twice.
        compositors: For capture and input: the compositor drivers it works with. Empty
            means any.
        codecs: For encode: what was probed to work.
        features: Free words a plan may ask for, such as `surround`, `pen`, `rfi`.
    """

    kind: Kind
    driver: str
    title: str = ""
    rank: int = attrs.field(default=10, validator=[ge(0), le(100)])
    availability: Availability
    attaches: bool = False
    compositors: frozenset[str] = attrs.field(default=frozenset(), converter=_words)
    codecs: frozenset[Codec] = attrs.field(default=frozenset(), converter=_codecs)
    features: frozenset[str] = attrs.field(default=frozenset(), converter=_words)

    @property
    def name(self) -> str:
        """For people: the driver, and which of its two ways this is."""
        return f"{self.driver} (the running desktop)" if self.attaches else self.driver


@attrs.frozen(kw_only=True)
class PassedOver:
    """An offer that was not picked, and the sentence that says why."""

    offer: Offer
    because: str


@attrs.frozen(kw_only=True)
class Choice:
    """The answer of ranking. `picked` is None when nothing fits."""

    kind: Kind
    picked: Offer | None
    passed_over: tuple[PassedOver, ...] = ()


@attrs.frozen(kw_only=True)
class HostFacts:
    """What is true of this machine, read once and handed to every plugin.

    Attributes:
        environment: Only the session variables plugins need (WAYLAND_DISPLAY, DISPLAY,
            XDG_*, DBUS_SESSION_BUS_ADDRESS, PULSE_SERVER, PATH, HOME, LANG).
        render_nodes: Such as `/dev/dri/renderD128`, readable ones only.
        settings: Each plugin's own `[plugin.NAME]` table, by plugin name.
    """

    kernel: str = ""
    uid: int = 0
    environment: Mapping[str, str] = attrs.field(factory=dict)
    render_nodes: tuple[str, ...] = ()
    settings: Mapping[str, Mapping[str, object]] = attrs.field(factory=dict)
