"""How paired clients look in `clients.json` and `native-clients.json`."""

import base64
from collections.abc import Mapping
from typing import Any

from punktfunk.errors import ProtocolError
from punktfunk.gamestream.certificates import MAX_DER_BYTES
from punktfunk.model.clients import (
    Fingerprint,
    NativeClient,
    PairedClient,
    as_fingerprint,
    fingerprint_of,
)
from punktfunk.trust.records import Members, Unreadable, integer, string


def client_from_json(members: Mapping[str, Any]) -> PairedClient:
    fingerprint = _fingerprint(members)
    try:
        certificate_der = base64.b64decode(string(members, "certificate"), validate=True)
    except ValueError as error:
        raise Unreadable("a client has a malformed certificate") from error
    if len(certificate_der) > MAX_DER_BYTES or fingerprint != fingerprint_of(certificate_der):
        raise Unreadable("a client's fingerprint is not that of its certificate")
    return PairedClient(
        fingerprint=fingerprint,
        name=string(members, "name"),
        certificate_der=certificate_der,
        paired_at_unix=integer(members, "paired_at_unix"),
        subject=string(members, "subject"),
        not_before_unix=integer(members, "not_before_unix"),
        not_after_unix=integer(members, "not_after_unix"),
        # Absent means used: losing this member must not allow the weaker encryption.
        control_v2_used=members.get("control_v2_used", True) is not False,
        renamed=members.get("renamed") is True,
    )


def client_to_json(client: PairedClient) -> Members:
    return {
        "fingerprint": client.fingerprint,
        "name": client.name,
        "paired_at_unix": client.paired_at_unix,
        "subject": client.subject,
        "not_before_unix": client.not_before_unix,
        "not_after_unix": client.not_after_unix,
        "control_v2_used": client.control_v2_used,
        "renamed": client.renamed,
        "certificate": base64.b64encode(client.certificate_der).decode(),
    }


def native_client_from_json(members: Mapping[str, Any]) -> NativeClient:
    return NativeClient(
        fingerprint=_fingerprint(members),
        name=string(members, "name"),
        paired_at_unix=integer(members, "paired_at_unix"),
        renamed=members.get("renamed") is True,
    )


def native_client_to_json(client: NativeClient) -> Members:
    return {
        "fingerprint": client.fingerprint,
        "name": client.name,
        "paired_at_unix": client.paired_at_unix,
        "renamed": client.renamed,
    }


def _fingerprint(members: Mapping[str, Any]) -> Fingerprint:
    try:
        return as_fingerprint(string(members, "fingerprint"))
    except ProtocolError as error:
        raise Unreadable("a client has a malformed fingerprint") from error
