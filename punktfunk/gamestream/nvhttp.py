"""nvhttp's answers, as the XML that clients accept (docs/protocol/gamestream.md, section 2)."""

import re
from collections.abc import Collection, Iterable
from ipaddress import IPv6Address, ip_address

import attrs
from attrs.validators import ge, le, min_len

from punktfunk.model.apps import App
from punktfunk.model.video import Codec

APP_VERSION = "7.1.431.-1"
"""The negative last number says: Sunshine-compatible, with all extensions (section 2.4)."""

GFE_VERSION = "3.23.0.74"
NO_MAC = "00:00:00:00:00:00"
UNAUTHORISED = "The client is not authorized. Certificate verification failed."

_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
_CODEC_BITS = {Codec.H264: 0x1, Codec.HEVC: 0x100, Codec.AV1: 0x1_0000}
_MAX_LUMA_PIXELS_HEVC = 1_869_449_984
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": " ", "\n": " ", "\r": " "}
)

_port = [ge(1), le(65_535)]


@attrs.frozen(kw_only=True)
class ServerInfo:
    """What `/serverinfo` tells (section 2.3).

    Attributes:
        unique_id: Stable for ever: the client's key for this host.
        local_address: Where the request arrived. IPv6 is never shown to clients.
        mac: Of the interface the request came in by.
        codecs: Never empty: a client that reads "none" cannot start.
        current_game: Moonlight id of the app this client runs, 0 for none.
        external_address: The host's IPv4 address as seen from outside, when it is known.
    """

    hostname: str
    unique_id: str
    https_port: int = attrs.field(validator=_port)
    http_port: int = attrs.field(validator=_port)
    local_address: str
    mac: str = NO_MAC
    codecs: frozenset[Codec] = attrs.field(validator=min_len(1))
    current_game: int = attrs.field(default=0, validator=[ge(0), le(0x7FFF_FFFF)])
    external_address: str = ""

    def for_strangers(self) -> "ServerInfo":
        """What anybody on the network may read: always free, no hardware address."""
        return attrs.evolve(self, current_game=0, mac=NO_MAC)


def codec_mode_support(codecs: Collection[Codec]) -> int:
    """`ServerCodecModeSupport`: 8-bit 4:2:0 of each codec."""
    return sum(_CODEC_BITS[codec] for codec in set(codecs))


def serverinfo(info: ServerInfo, *, paired: bool) -> bytes:
    state = "BUSY" if info.current_game else "FREE"
    elements = [
        ("hostname", info.hostname.strip() or "punktfunk"),
        ("appversion", APP_VERSION),
        ("GfeVersion", GFE_VERSION),
        ("uniqueid", info.unique_id),
        ("HttpsPort", info.https_port),
        ("ExternalPort", info.http_port),
        ("MaxLumaPixelsHEVC", _MAX_LUMA_PIXELS_HEVC if Codec.HEVC in info.codecs else 0),
        ("mac", info.mac or NO_MAC),
        ("LocalIP", _shown_address(info.local_address)),
        ("ServerCodecModeSupport", codec_mode_support(info.codecs)),
        ("PairStatus", int(paired)),
        ("currentgame", info.current_game),
        ("state", f"PUNKTFUNK_SERVER_{state}"),
    ]
    if info.external_address:
        elements.append(("ExternalIP", info.external_address))
    return answer(*elements)


def applist(apps: Iterable[App]) -> bytes:
    """An app without a title is left out: Qt would reject the whole list."""
    listed = "".join(
        "<App>"
        + (_element("IsAppCollectorGame", 1) if app.desktop_like else "")
        + _element("IsHdrSupported", 0)
        + _element("AppTitle", app.title.strip())
        + _element("ID", app.moonlight_id)
        + "</App>"
        for app in apps
        if app.title.strip()
    )
    return f'{_HEAD}<root status_code="200">{listed}</root>'.encode()


def answer(*elements: tuple[str, object]) -> bytes:
    """Success, with these children of the root in this order."""
    inside = "".join(_element(name, value) for name, value in elements)
    return f'{_HEAD}<root status_code="200">{inside}</root>'.encode()


def failure(status: int, message: str, *elements: tuple[str, object]) -> bytes:
    """A refusal. HTTP says 200 all the same; `message` is shown to the client's person."""
    inside = "".join(_element(name, value) for name, value in elements)
    return (
        f'{_HEAD}<root status_code="{status}" status_message="{escape(message)}">{inside}</root>'
    ).encode()


def escape(text: str) -> str:
    """Make text fit for XML 1.0, also where XML has no way to say it."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text).translate(_ESCAPES)


def _element(name: str, value: object) -> str:
    return f"<{name}>{escape(str(value))}</{name}>"


def _shown_address(text: str) -> str:
    """Clients ignore 127.*, which is what they are told instead of an IPv6 address."""
    try:
        address = ip_address(text)
    except ValueError:
        return "127.0.0.1"
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or "127.0.0.1")
    return str(address)
