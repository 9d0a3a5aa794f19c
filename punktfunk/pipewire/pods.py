"""SPA pods, the values that PipeWire's sides negotiate with. Bytes only, no I/O.

A pod is the size of its body, its type, its body, and padding to eight bytes. An object is a
list of properties: key, flags, pod. A choice lists alternatives of one type, the default first.
"""

import struct
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from punktfunk.errors import ProtocolError

Value: TypeAlias = int | tuple[int, int]

CHOICE_NONE, CHOICE_RANGE, CHOICE_ENUM, CHOICE_FLAGS = 0, 1, 3, 4
MANDATORY, DONT_FIXATE = 1 << 3, 1 << 4
"""Flags of a property: who does not know it cannot agree; the other side chooses."""

MAX_POD_BYTES = 65_536

_ID, _INT, _LONG, _RECTANGLE, _FRACTION, _OBJECT, _CHOICE = 3, 4, 5, 10, 11, 15, 19
_PAIR = struct.Struct("=II")
_CHOICE_HEAD = struct.Struct("=IIII")  # kind, flags, body bytes and type of each alternative
_PROPERTY = struct.Struct("=IIII")  # key, flags, body bytes, type
_NO_FLAGS: Mapping[int, int] = MappingProxyType({})
_LAYOUTS = {_ID: "=I", _INT: "=i", _LONG: "=Q", _RECTANGLE: "=II", _FRACTION: "=II"}


def identifier(value: int) -> bytes:
    return _pod(_ID, struct.pack("=I", value))


def integer(value: int) -> bytes:
    return _pod(_INT, struct.pack("=i", value))


def long(value: int) -> bytes:
    return _pod(_LONG, struct.pack("=Q", value))


def rectangle(width: int, height: int) -> bytes:
    return _pod(_RECTANGLE, _PAIR.pack(width, height))


def fraction(numerator: int, denominator: int) -> bytes:
    return _pod(_FRACTION, _PAIR.pack(numerator, denominator))


def choice(kind: int, *alternatives: bytes) -> bytes:
    """Offer alternatives of one type; the first is the default and listed once more."""
    size, value_type = _PAIR.unpack_from(alternatives[0])
    bodies = b"".join(pod[_PAIR.size : _PAIR.size + size] for pod in alternatives)
    return _pod(_CHOICE, _CHOICE_HEAD.pack(kind, 0, size, value_type) + bodies)


def one_of(*alternatives: bytes) -> bytes:
    """Offer exactly these, best first."""
    return choice(CHOICE_ENUM, alternatives[0], *alternatives)


def between(default: bytes, least: bytes, most: bytes) -> bytes:
    return choice(CHOICE_RANGE, default, least, most)


def build(
    object_type: int,
    object_id: int,
    properties: Sequence[tuple[int, bytes]],
    flags: Mapping[int, int] = _NO_FLAGS,
) -> bytes:
    """Make an object. Flags are by key."""
    body = b"".join(_PAIR.pack(key, flags.get(key, 0)) + pod for key, pod in properties)
    return _pod(_OBJECT, _PAIR.pack(object_type, object_id) + body)


def read_object(data: bytes) -> dict[int, Value]:
    """Read the properties whose value is a number or a pair; of a choice, the default.

    Raises:
        ProtocolError: it is cut off, or no object.
    """
    try:
        size, value_type = _PAIR.unpack_from(data)
        end = _PAIR.size + size
        if value_type != _OBJECT or not 2 * _PAIR.size <= end <= len(data):
            raise ProtocolError("this is no object of PipeWire's")
        found: dict[int, Value] = {}
        position = 2 * _PAIR.size
        while position < end:
            key, _, size, value_type = _PROPERTY.unpack_from(data, position)
            position += _PROPERTY.size
            if position + size > end:
                raise ProtocolError("an object of PipeWire's is cut off")
            value = _read(value_type, data[position : position + size])
            if value is not None:
                found[key] = value
            position += size + -size % 8
    except struct.error as error:
        raise ProtocolError("an object of PipeWire's is cut off") from error
    return found


def _read(value_type: int, body: bytes) -> Value | None:
    if value_type == _CHOICE:
        _, _, size, value_type = _CHOICE_HEAD.unpack_from(body)
        body = body[_CHOICE_HEAD.size : _CHOICE_HEAD.size + size]
    layout = _LAYOUTS.get(value_type)
    if layout is None:
        return None
    values = struct.unpack_from(layout, body)
    return values if len(values) == 2 else values[0]


def _pod(value_type: int, body: bytes) -> bytes:
    return _PAIR.pack(len(body), value_type) + body + b"\0" * (-len(body) % 8)
