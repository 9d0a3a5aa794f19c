"""How paired clients look in `clients.json`. What we do not know, we keep."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from punktfunk.errors import ProtocolError
from punktfunk.gamestream.certificates import MAX_DER_BYTES
from punktfunk.model.clients import PairedClient, as_fingerprint, fingerprint_of

VERSION = 1

Members = dict[str, Any]


class Unreadable(ValueError):
    """The text is not a list of clients. The message says why, without showing it."""


def parse_document(text: bytes) -> tuple[Members, list[Members]]:
    """Return the document without its clients, and the clients as they were written."""
    try:
        document = json.loads(text, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is not JSON ({type(error).__name__})") from error
    if not isinstance(document, dict):
        raise Unreadable("it is not a JSON object")
    if document.get("version") != VERSION:
        raise Unreadable(f"its version is not {VERSION}")
    clients = document.pop("clients", None)
    if not isinstance(clients, list) or not all(isinstance(member, dict) for member in clients):
        raise Unreadable("it has no list of clients")
    return document, clients


def format_document(document: Mapping[str, Any], clients: list[Members]) -> bytes:
    return (json.dumps({**document, "version": VERSION, "clients": clients}, indent=1)).encode()


def client_from_json(members: Mapping[str, Any]) -> PairedClient:
    try:
        certificate_der = base64.b64decode(_string(members, "certificate"), validate=True)
        fingerprint = as_fingerprint(_string(members, "fingerprint"))
    except (ValueError, ProtocolError) as error:
        raise Unreadable("a client has a malformed certificate or fingerprint") from error
    if len(certificate_der) > MAX_DER_BYTES or fingerprint != fingerprint_of(certificate_der):
        raise Unreadable("a client's fingerprint is not that of its certificate")
    return PairedClient(
        fingerprint=fingerprint,
        name=_string(members, "name"),
        certificate_der=certificate_der,
        paired_at_unix=_integer(members, "paired_at_unix"),
        subject=_string(members, "subject"),
        not_before_unix=_integer(members, "not_before_unix"),
        not_after_unix=_integer(members, "not_after_unix"),
        # Absent means used: losing this member must not allow the weaker encryption.
        control_v2_used=members.get("control_v2_used", True) is not False,
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
        "certificate": base64.b64encode(client.certificate_der).decode(),
    }


def _without_duplicates(pairs: list[tuple[str, Any]]) -> Members:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is there twice")
    return members


def _string(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise Unreadable(f"a client has no {name}")
    return value


def _integer(members: Mapping[str, Any], name: str) -> int:
    value = members.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unreadable(f"a client has no {name}")
    return value
