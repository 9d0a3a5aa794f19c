"""What uhid reads and writes, as bytes. All of it is packed."""

import struct

import attrs

_DESTROY, _OUTPUT = 1, 6
_GET_REPORT, _GET_REPORT_REPLY = 9, 10
_CREATE, _INPUT, _SET_REPORT, _SET_REPORT_REPLY = 11, 12, 13, 14

_DATA_MAX = 4_096
_TYPE = struct.Struct("=I")
_CREATE_HEAD = struct.Struct("=128s64s64sHHIIII")
_SIZED = struct.Struct("=IH")
_ASKED = struct.Struct("=IBB")
_GIVEN = struct.Struct("=IBBH")
_ANSWER = struct.Struct("=IIHH")
_DONE = struct.Struct("=IIH")
_OUTPUT_TAIL = struct.Struct("=HB")

# The largest event is `_CREATE`; the union that it is part of is a multiple of 8 long.
EVENT_BYTES = _TYPE.size + -(-(_CREATE_HEAD.size + _DATA_MAX) // 8) * 8
DESTROY = _TYPE.pack(_DESTROY)
_EIO = 5


@attrs.frozen(kw_only=True)
class HidDevice:
    """What a device says of itself."""

    name: str
    bus: int
    vendor: int
    product: int
    version: int
    descriptor: bytes = attrs.field(repr=False)


@attrs.frozen
class Output:
    """A report for the device, its number in front."""

    data: bytes


@attrs.frozen
class FeatureWanted:
    request: int
    number: int


@attrs.frozen
class ReportGiven:
    request: int
    data: bytes


Wish = Output | FeatureWanted | ReportGiven


def create(device: HidDevice, phys: str, uniq: str) -> bytes:
    """Plug a device in."""
    head = _CREATE_HEAD.pack(
        device.name.encode()[:127],
        phys.encode()[:63],
        uniq.encode()[:63],
        len(device.descriptor),
        device.bus,
        device.vendor,
        device.product,
        device.version,
        0,
    )
    return _TYPE.pack(_CREATE) + head + device.descriptor


def report(data: bytes) -> bytes:
    """What the device says, its number in front."""
    return _SIZED.pack(_INPUT, len(data)) + data


def answer_feature(request: int, data: bytes | None) -> bytes:
    """Give a feature report; None when the device has none of that number."""
    if data is None:
        return _ANSWER.pack(_GET_REPORT_REPLY, request, _EIO, 0)
    return _ANSWER.pack(_GET_REPORT_REPLY, request, 0, len(data)) + data


def taken(request: int) -> bytes:
    """Say that a report was received."""
    return _DONE.pack(_SET_REPORT_REPLY, request, 0)


def wish(event: bytes) -> Wish | None:
    """Read what the kernel wants; None for what needs no answer."""
    event = event.ljust(EVENT_BYTES, b"\0")
    (kind,) = _TYPE.unpack_from(event)
    if kind == _OUTPUT:
        size, _ = _OUTPUT_TAIL.unpack_from(event, _TYPE.size + _DATA_MAX)
        return Output(event[_TYPE.size :][: min(size, _DATA_MAX)])
    if kind == _GET_REPORT:
        request, number, _ = _ASKED.unpack_from(event, _TYPE.size)
        return FeatureWanted(request, number)
    if kind == _SET_REPORT:
        request, _, _, size = _GIVEN.unpack_from(event, _TYPE.size)
        start = _TYPE.size + _GIVEN.size
        return ReportGiven(request, event[start:][: min(size, _DATA_MAX)])
    return None
