"""Facts from a client's certificate, read straight out of its DER bytes.

Every Moonlight client has serial number 0 (docs/protocol/gamestream.md, section 2.2), which
strict X.509 parsers refuse. We need five fields, so we read five fields.
"""

import base64
import binascii
import re
from datetime import UTC, datetime

import attrs

from punktfunk.errors import ProtocolError
from punktfunk.model.clients import Fingerprint, fingerprint_of

MAX_DER_BYTES = 8_192
MAX_PEM_BYTES = 12_288
MAX_SUBJECT_CHARS = 256

_SEQUENCE, _SET, _INTEGER, _OID, _BIT_STRING = 0x30, 0x31, 0x02, 0x06, 0x03
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_VERSION = 0xA0
_TEXT_ENCODINGS = {
    0x0C: "utf-8",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1E: "utf-16-be",
}
_NAME_TYPES = {
    "550403": "CN",
    "550405": "serialNumber",
    "550406": "C",
    "550407": "L",
    "550408": "ST",
    "55040a": "O",
    "55040b": "OU",
}
_PEM = re.compile(
    rb"\s*-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----\s*"
)


@attrs.frozen(kw_only=True)
class CertificateFacts:
    """What pairing and the client list need to know.

    Attributes:
        public_key_der: The SubjectPublicKeyInfo.
        signature: Content of the outer signature BIT STRING: both sides hash it in pairing.
        subject: As people write it: `CN=NVIDIA GameStream Client`.
    """

    der: bytes = attrs.field(repr=False)
    fingerprint: Fingerprint
    public_key_der: bytes = attrs.field(repr=False)
    signature: bytes = attrs.field(repr=False)
    subject: str
    not_before_unix: int
    not_after_unix: int


def read_certificate(der: bytes) -> CertificateFacts:
    """Read a certificate without judging it: neither dates, nor issuer, nor signature.

    Raises:
        ProtocolError: too long, cut short, or not built as X.509 says.
    """
    if len(der) > MAX_DER_BYTES:
        raise ProtocolError("certificate is too long", length=len(der))
    outside = _Der(der)
    certificate = outside.enter(_SEQUENCE)
    outside.end()
    signed = certificate.enter(_SEQUENCE)
    certificate.take(_SEQUENCE)
    signature = certificate.take(_BIT_STRING)
    certificate.end()
    if len(signature) < 2 or signature[0] != 0:
        raise ProtocolError("certificate has no signature")
    if signed.next_tag() == _VERSION:
        signed.take(_VERSION)
    signed.take(_INTEGER)  # the serial number: 0 in every client
    signed.take(_SEQUENCE)  # signature algorithm
    signed.take(_SEQUENCE)  # issuer
    validity = signed.enter(_SEQUENCE)
    not_before_unix, not_after_unix = _time(validity), _time(validity)
    validity.end()
    subject = _name(signed.enter(_SEQUENCE))
    return CertificateFacts(
        der=der,
        fingerprint=fingerprint_of(der),
        public_key_der=signed.take_whole(_SEQUENCE),
        signature=signature[1:],
        subject=subject,
        not_before_unix=not_before_unix,
        not_after_unix=not_after_unix,
    )


def der_from_pem(pem: bytes) -> bytes:
    """Unwrap exactly one PEM certificate.

    Raises:
        ProtocolError: too long, or not one certificate in PEM.
    """
    if len(pem) > MAX_PEM_BYTES:
        raise ProtocolError("certificate is too long", length=len(pem))
    found = _PEM.fullmatch(pem)
    if found is None:
        raise ProtocolError("certificate is not PEM text")
    try:
        return base64.b64decode(b"".join(found[1].split()), validate=True)
    except binascii.Error as error:
        raise ProtocolError("certificate is not PEM text") from error


class _Der:
    """A cursor over DER values: every length checked, nothing recursive."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def next_tag(self) -> int:
        if self._at >= len(self._data):
            raise ProtocolError("certificate is cut short")
        return self._data[self._at]

    def take(self, tag: int) -> bytes:
        start, end = self._bounds(tag)
        self._at = end
        return self._data[start:end]

    def take_whole(self, tag: int) -> bytes:
        """Like `take`, with the tag and the length in front."""
        first = self._at
        self.take(tag)
        return self._data[first : self._at]

    def enter(self, tag: int) -> "_Der":
        return _Der(self.take(tag))

    def end(self) -> None:
        if not self.at_end:
            raise ProtocolError("certificate has surplus bytes")

    @property
    def at_end(self) -> bool:
        return self._at == len(self._data)

    def _bounds(self, tag: int) -> tuple[int, int]:
        if self.next_tag() != tag:
            raise ProtocolError("certificate is not built as X.509 says", wanted_tag=tag)
        start = self._at + 2
        if start > len(self._data):
            raise ProtocolError("certificate is cut short")
        length = self._data[start - 1]
        if length & 0x80:
            octets = length & 0x7F
            if octets not in (1, 2):  # 0 is BER's indefinite form; 3 is over MAX_DER_BYTES
                raise ProtocolError("certificate has an unusable length")
            start += octets
            length = int.from_bytes(self._data[start - octets : start], "big")
        if start + length > len(self._data):
            raise ProtocolError("certificate is cut short")
        return start, start + length


def _time(validity: _Der) -> int:
    tag = validity.next_tag()
    if tag not in (_UTC_TIME, _GENERALIZED_TIME):
        raise ProtocolError("certificate has no validity dates")
    text = validity.take(tag).decode("ascii", errors="replace")
    if tag == _UTC_TIME:  # two-digit years mean 1950 to 2049
        text = ("19" if text[:2] >= "50" else "20") + text
    if not re.fullmatch(r"[0-9]{14}Z", text):
        raise ProtocolError("certificate has a malformed date")
    try:
        moment = datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise ProtocolError("certificate has a malformed date") from error
    return int(moment.timestamp())


def _name(names: _Der) -> str:
    parts: list[str] = []
    while not names.at_end:
        members = names.enter(_SET)
        while not members.at_end:
            attribute = members.enter(_SEQUENCE)
            oid = attribute.take(_OID)
            tag = attribute.next_tag()
            raw = attribute.take(tag)
            attribute.end()
            label = _NAME_TYPES.get(oid.hex(), f"oid:{oid.hex()}")
            parts.append(f"{label}={_text(tag, raw)}")
    return ",".join(parts)[:MAX_SUBJECT_CHARS]


def _text(tag: int, raw: bytes) -> str:
    encoding = _TEXT_ENCODINGS.get(tag)
    if encoding is None:
        return raw.hex()
    text = raw.decode(encoding, errors="replace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
