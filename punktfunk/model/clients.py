"""Who may stream: paired clients and the fingerprint that names each of them."""

import re
from hashlib import sha256
from typing import NewType

import attrs

from punktfunk.errors import ProtocolError

Fingerprint = NewType("Fingerprint", str)
"""SHA-256 of a certificate's DER bytes, 64 lower-case hex digits: a client's only identity."""

MAX_NAME_CHARS = 64

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_FINGERPRINT_START = re.compile(r"[0-9a-f]{8,64}")


def fingerprint_of(certificate_der: bytes) -> Fingerprint:
    return Fingerprint(sha256(certificate_der).hexdigest())


def as_fingerprint(text: str) -> Fingerprint:
    """Check a fingerprint somebody typed or sent; upper case is fine.

    Raises:
        ProtocolError: it is not 64 hex digits.
    """
    lowered = text.lower()
    if not _FINGERPRINT.fullmatch(lowered):
        raise ProtocolError("a fingerprint is 64 hexadecimal digits")
    return Fingerprint(lowered)


def as_fingerprint_start(text: str) -> str:
    """Check how a fingerprint begins; upper case is fine.

    Raises:
        ProtocolError: it is not 8 to 64 hex digits.
    """
    lowered = text.lower()
    if not _FINGERPRINT_START.fullmatch(lowered):
        raise ProtocolError("a fingerprint, or how it begins, is 8 to 64 hexadecimal digits")
    return lowered


def readable_name(text: str, fingerprint: Fingerprint) -> str:
    """Make a name that can be shown anywhere of what a device or a person calls it.

    What does not print, such as terminal sequences and reversed text, is escaped; what is
    too long is cut; nothing at all becomes the start of the fingerprint.
    """
    shown = "".join(it if it.isprintable() else ascii(it)[1:-1] for it in text.strip())
    return shown[:MAX_NAME_CHARS].strip() or f"Device {fingerprint[:8]}"


@attrs.frozen(kw_only=True)
class PairedClient:
    """A client whose person proved the PIN.

    Attributes:
        name: What the device calls itself, or a person it. Not unique.
        subject: The certificate's subject, such as `CN=NVIDIA GameStream Client`. The same
            in every Moonlight, so it identifies nobody.
        not_before_unix: Start of validity. For people: dates decide nothing, since
            embedded clients have wrong clocks.
        control_v2_used: It has once encrypted its control stream the new way, so the old
            way is refused from now on.
        renamed: A person chose the name, so pairing again does not change it.
        last_seen_unix: When it was here last; None for never, or where nobody asked.
    """

    fingerprint: Fingerprint
    name: str
    certificate_der: bytes = attrs.field(repr=False)
    paired_at_unix: int
    subject: str
    not_before_unix: int
    not_after_unix: int
    control_v2_used: bool = False
    renamed: bool = False
    last_seen_unix: int | None = None


@attrs.frozen(kw_only=True)
class NativeClient:
    """A client of punktfunk/1 that proved the PIN, or that a person approved.

    Attributes:
        renamed: A person chose the name, so pairing again does not change it.
    """

    fingerprint: Fingerprint
    name: str
    paired_at_unix: int
    renamed: bool = False
