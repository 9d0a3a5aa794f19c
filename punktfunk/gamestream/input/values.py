"""Numbers inside input packets, checked."""

import math

from punktfunk.errors import ProtocolError
from punktfunk.model.input import ContactKind
from punktfunk.wire.reader import Reader


def contact(number: int) -> ContactKind:
    try:
        return ContactKind(number)
    except ValueError:
        raise ProtocolError("unknown touch event", number=number) from None


def finite(reader: Reader) -> float:
    value = reader.f32_le()
    if not math.isfinite(value):
        raise ProtocolError("input packet holds a number that is not finite")
    return value


def unit(reader: Reader) -> float:
    return clamp(finite(reader))


def clamp(value: float, low: float = 0.0, high: float = 1.0) -> float:
    return min(max(value, low), high)
