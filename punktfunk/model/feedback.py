"""What the host tells a client's devices to do: rumble, lights, triggers, HDR."""

from typing import Any

import attrs
from attrs.validators import and_, ge, instance_of, le, max_len, min_len

from punktfunk.model.pads import MAX_PADS, MotionKind

_pad = and_(ge(0), le(MAX_PADS - 1))
_u8 = and_(ge(0), le(0xFF))
_u16 = and_(ge(0), le(0xFFFF))
_effect = and_(instance_of(bytes), min_len(10), max_len(10))


def _chromaticity(_owner: object, field: "attrs.Attribute[Any]", xy: tuple[int, int]) -> None:
    if len(xy) != 2 or not all(0 <= value <= 0xFFFF for value in xy):
        raise ValueError(f"{field.name} must be x and y, each 0 to 65535")


@attrs.frozen(kw_only=True)
class Rumble:
    """Motor strengths, 0 to 65535. They stay until the next message for the pad."""

    pad: int = attrs.field(validator=_pad)
    low_frequency: int = attrs.field(validator=_u16)
    high_frequency: int = attrs.field(validator=_u16)


@attrs.frozen(kw_only=True)
class TriggerRumble:
    """Strengths of the motors inside the triggers, 0 to 65535."""

    pad: int = attrs.field(validator=_pad)
    left: int = attrs.field(validator=_u16)
    right: int = attrs.field(validator=_u16)


@attrs.frozen(kw_only=True)
class MotionRequest:
    """Asks a pad that can for sensor reports; a rate of 0 stops them."""

    pad: int = attrs.field(validator=_pad)
    kind: MotionKind
    rate_hz: int = attrs.field(validator=_u16)


@attrs.frozen(kw_only=True)
class RgbLed:
    pad: int = attrs.field(validator=_pad)
    red: int = attrs.field(validator=_u8)
    green: int = attrs.field(validator=_u8)
    blue: int = attrs.field(validator=_u8)


@attrs.frozen(kw_only=True)
class TriggerEffect:
    """A DualSense effect block for one trigger: its number and 10 opaque bytes."""

    type: int = attrs.field(validator=_u8)
    parameters: bytes = attrs.field(validator=_effect)


@attrs.frozen(kw_only=True)
class AdaptiveTriggers:
    """Resistance of the triggers. None leaves a trigger as it is."""

    pad: int = attrs.field(validator=_pad)
    left: TriggerEffect | None = None
    right: TriggerEffect | None = None


@attrs.frozen(kw_only=True)
class HdrMetadata:
    """Mastering display data.

    Attributes:
        red: x and y, each in 1/50000; so are `green`, `blue` and `white`.
        min_luminance_10000ths_nit: Darkest level, in 1/10000 nit.
        max_full_frame_luminance_nits: 0 if unknown; so are the other levels.
    """

    red: tuple[int, int] = attrs.field(validator=_chromaticity)
    green: tuple[int, int] = attrs.field(validator=_chromaticity)
    blue: tuple[int, int] = attrs.field(validator=_chromaticity)
    white: tuple[int, int] = attrs.field(validator=_chromaticity)
    max_luminance_nits: int = attrs.field(default=0, validator=_u16)
    min_luminance_10000ths_nit: int = attrs.field(default=0, validator=_u16)
    max_content_light_nits: int = attrs.field(default=0, validator=_u16)
    max_frame_average_light_nits: int = attrs.field(default=0, validator=_u16)
    max_full_frame_luminance_nits: int = attrs.field(default=0, validator=_u16)


@attrs.frozen
class HdrMode:
    """Whether the picture is HDR now; None means SDR."""

    metadata: HdrMetadata | None = None


Feedback = Rumble | TriggerRumble | MotionRequest | RgbLed | AdaptiveTriggers | HdrMode
