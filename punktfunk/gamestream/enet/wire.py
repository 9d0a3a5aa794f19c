"""ENet datagrams: commands to bytes and back.

Big endian throughout. See docs/protocol/gamestream.md, section 7.1.
"""

import struct
from enum import IntEnum

import attrs

MAX_COMMANDS_PER_DATAGRAM = 32
MAX_DATAGRAM_BYTES = 4_096
UNKNOWN_PEER = 0xFFF
CONNECTION_CHANNEL = 0xFF
NO_SESSION = 0xFF

_SENT_TIME_FLAG = 0x8000
_COMPRESSED_FLAG = 0x4000
_ACK_FLAG = 0x80
_UNSEQUENCED_FLAG = 0x40
_HEADER_BYTES = 2
_HEADER_WITH_TIME_BYTES = 4
_COMMAND = struct.Struct(">BBH")


class Number(IntEnum):
    ACKNOWLEDGE = 1
    CONNECT = 2
    VERIFY_CONNECT = 3
    DISCONNECT = 4
    PING = 5
    SEND_RELIABLE = 6
    SEND_UNRELIABLE = 7
    SEND_FRAGMENT = 8
    SEND_UNSEQUENCED = 9
    BANDWIDTH_LIMIT = 10
    THROTTLE_CONFIGURE = 11
    SEND_UNRELIABLE_FRAGMENT = 12


# What follows the command header; where the last field is a length, data follows.
_FIELDS = {
    Number.ACKNOWLEDGE: struct.Struct(">HH"),
    Number.CONNECT: struct.Struct(">HBBIIIIIIIIII"),
    Number.VERIFY_CONNECT: struct.Struct(">HBBIIIIIIIII"),
    Number.DISCONNECT: struct.Struct(">I"),
    Number.PING: struct.Struct(">"),
    Number.SEND_RELIABLE: struct.Struct(">H"),
    Number.SEND_UNRELIABLE: struct.Struct(">HH"),
    Number.SEND_FRAGMENT: struct.Struct(">HHIIII"),
    Number.SEND_UNSEQUENCED: struct.Struct(">HH"),
    Number.BANDWIDTH_LIMIT: struct.Struct(">II"),
    Number.THROTTLE_CONFIGURE: struct.Struct(">III"),
    Number.SEND_UNRELIABLE_FRAGMENT: struct.Struct(">HHIIII"),
}
_DATA_LENGTH_FIELD = {
    Number.SEND_RELIABLE: 0,
    Number.SEND_UNRELIABLE: 1,
    Number.SEND_FRAGMENT: 1,
    Number.SEND_UNSEQUENCED: 1,
    Number.SEND_UNRELIABLE_FRAGMENT: 1,
}
RELIABLE_OVERHEAD_BYTES = _HEADER_WITH_TIME_BYTES + _COMMAND.size + 2


@attrs.frozen
class Command:
    """One command.

    Attributes:
        fields: Numbers after the command header, in wire order; section 7.1 names them.
        data: What a SEND carries, empty otherwise.
    """

    number: Number
    channel: int
    sequence: int
    fields: tuple[int, ...] = ()
    data: bytes = attrs.field(default=b"", repr=False)
    wants_ack: bool = False
    unsequenced: bool = False


@attrs.frozen(kw_only=True)
class Datagram:
    """A datagram's header and as many commands as were well formed.

    Attributes:
        peer_id: Of the receiver, `UNKNOWN_PEER` before it gave one.
        sent_time_ms: Low 16 bits of the sender's clock, None if absent.
        malformed: The rest could not be read.
    """

    peer_id: int
    session: int
    sent_time_ms: int | None
    commands: tuple[Command, ...]
    malformed: bool = False


@attrs.frozen(kw_only=True)
class Connect:
    """The parameters of CONNECT, and of VERIFY_CONNECT (which has no data)."""

    peer_id: int
    incoming_session: int
    outgoing_session: int
    mtu_bytes: int
    window_bytes: int
    channels: int
    incoming_bandwidth: int
    outgoing_bandwidth: int
    throttle_interval: int
    throttle_acceleration: int
    throttle_deceleration: int
    connect_id: int
    data: int = 0

    @classmethod
    def from_fields(cls, fields: tuple[int, ...]) -> "Connect":
        names = tuple(field.name for field in attrs.fields(cls))
        return cls(**dict(zip(names, fields, strict=False)))

    def to_fields(self, number: Number) -> tuple[int, ...]:
        values = attrs.astuple(self)
        return values if number is Number.CONNECT else values[:-1]


def parse_datagram(data: bytes) -> Datagram | None:
    """Read a datagram; None when not even its header makes sense.

    Stops at the first command that is unknown, cut off or too many.
    """
    if not _HEADER_BYTES <= len(data) <= MAX_DATAGRAM_BYTES:
        return None
    header = int.from_bytes(data[:2], "big")
    if header & _COMPRESSED_FLAG:
        return None
    at = _HEADER_BYTES
    sent_time_ms = None
    if header & _SENT_TIME_FLAG:
        if len(data) < _HEADER_WITH_TIME_BYTES:
            return None
        sent_time_ms = int.from_bytes(data[2:4], "big")
        at = _HEADER_WITH_TIME_BYTES
    commands: list[Command] = []
    while at < len(data) and len(commands) < MAX_COMMANDS_PER_DATAGRAM:
        read = _parse_command(data, at)
        if read is None:
            break
        command, at = read
        commands.append(command)
    return Datagram(
        peer_id=header & 0xFFF,
        session=header >> 12 & 0b11,
        sent_time_ms=sent_time_ms,
        commands=tuple(commands),
        malformed=at < len(data),
    )


def header_bytes(peer_id: int, session: int, sent_time_ms: int | None) -> bytes:
    """Return a datagram's header, with the sent time unless that is None."""
    header = peer_id | (session & 0b11) << 12
    if sent_time_ms is None:
        return header.to_bytes(2, "big")
    return (header | _SENT_TIME_FLAG).to_bytes(2, "big") + (sent_time_ms & 0xFFFF).to_bytes(
        2, "big"
    )


def command_bytes(command: Command) -> bytes:
    """Return one command as it stands in a datagram."""
    flags = (_ACK_FLAG if command.wants_ack else 0) | (
        _UNSEQUENCED_FLAG if command.unsequenced else 0
    )
    return (
        _COMMAND.pack(command.number | flags, command.channel, command.sequence)
        + _FIELDS[command.number].pack(*command.fields)
        + command.data
    )


def _parse_command(data: bytes, at: int) -> tuple[Command, int] | None:
    if at + _COMMAND.size > len(data):
        return None
    flags, channel, sequence = _COMMAND.unpack_from(data, at)
    try:
        number = Number(flags & 0x0F)
    except ValueError:
        return None
    at += _COMMAND.size
    layout = _FIELDS[number]
    if at + layout.size > len(data):
        return None
    fields = layout.unpack_from(data, at)
    at += layout.size
    length = fields[_DATA_LENGTH_FIELD[number]] if number in _DATA_LENGTH_FIELD else 0
    if at + length > len(data):
        return None
    command = Command(
        number,
        channel,
        sequence,
        fields,
        data[at : at + length],
        wants_ack=bool(flags & _ACK_FLAG),
        unsequenced=bool(flags & _UNSEQUENCED_FLAG),
    )
    return command, at + length
