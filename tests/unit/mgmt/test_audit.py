"""What is written down of changes, what never is, and what a full disk costs."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from punktfunk.mgmt.audit import AUDIT_FILE, MAX_FILE_BYTES, OLD_FILES, Audit, AuditEntry
from punktfunk.model.access import Scope
from punktfunk.model.clients import fingerprint_of

TOKEN = "0123456789abcdef" * 4
DECK = fingerprint_of(b"Deck")


def lines(folder: Path) -> list[dict[str, Any]]:
    path = folder / AUDIT_FILE
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def entry(**members: Any) -> AuditEntry:
    return AuditEntry(
        **{
            "token": "mgmt-token",
            "name": "",
            "address": "127.0.0.1",
            "operation": "x",
            "path": "/",
            "status": 204,
            **members,
        }
    )


async def test_a_change_is_one_line_that_says_who_and_what(api: Any) -> None:
    text, made = api.host.tokens.create(Scope.ADMIN, "Console")

    await api.ask("DELETE", f"/api/v1/clients/{DECK}", token=text)

    assert lines(api.host.folder) == [
        {
            "time": "2027-01-15T08:00:00Z",
            "token": made.id,
            "name": "Console",
            "address": "",
            "operation": "unpairClient",
            "path": f"/api/v1/clients/{DECK}",
            "status": 204,
        }
    ]
    assert stat.S_IMODE((api.host.folder / AUDIT_FILE).stat().st_mode) == 0o600


async def test_refused_changes_are_noted_too_and_strangers_and_readers_are_not(api: Any) -> None:
    reader, made = api.host.tokens.create(Scope.READ)

    await api.ask("GET", "/api/v1/clients")
    await api.ask("DELETE", "/api/v1/session", token=None)
    await api.ask("DELETE", "/api/v1/session", token="wrong")
    await api.ask("DELETE", "/api/v1/nothing")
    assert lines(api.host.folder) == []
    await api.ask("DELETE", "/api/v1/session", token=reader)
    await api.ask("DELETE", f"/api/v1/clients/{'0' * 64}")

    assert [(it["token"], it["operation"], it["status"]) for it in lines(api.host.folder)] == [
        (made.id, "stopSession", 403),
        ("mgmt-token", "unpairClient", 404),
    ]


async def test_which_session_was_ended_is_noted_and_other_words_of_a_query_are_not(
    api: Any,
) -> None:
    await api.ask("DELETE", f"/api/v1/session?id=3&token={TOKEN}")

    noted = lines(api.host.folder)[0]
    assert noted["query"] == {"id": "3"}
    assert TOKEN not in str(noted)


async def test_threat_23_no_pin_body_or_token_is_ever_noted(api: Any) -> None:
    api.host.native.enable()
    api.host.waiting = {1: "Deck"}
    await api.ask("POST", "/api/v1/pair/pin", json={"pin": "48217391"})
    armed = await (await api.ask("POST", "/api/v1/native/pair/arm", json={})).get_json()
    made = await (
        await api.ask("POST", "/api/v1/tokens", json={"scope": "read", "name": "SecretName"})
    ).get_json()
    await api.ask("DELETE", f"/api/v1/tokens/{made['token']}")

    text = (api.host.folder / AUDIT_FILE).read_text()
    noted = lines(api.host.folder)
    assert [it["operation"] for it in noted] == [
        "submitPairingPin",
        "armNativePairing",
        "createToken",
        "revokeToken",
    ]
    for secret in ("48217391", TOKEN, made["token"], "SecretName"):
        assert secret not in text
    assert not [it for it in noted if armed["pin"] in it.values()]


def test_the_files_are_bounded_in_size_and_number(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    big = entry(name="x" * 100_000)

    for _ in range(MAX_FILE_BYTES * (OLD_FILES + 3) // 100_000):
        audit.note(big)
    audit.note(entry(operation="last"))

    found = sorted(path.name for path in tmp_path.iterdir())
    assert found == [AUDIT_FILE, *(f"{AUDIT_FILE}.{number + 1}" for number in range(OLD_FILES))]
    assert all(path.stat().st_size <= MAX_FILE_BYTES + 101_000 for path in tmp_path.iterdir())
    assert lines(tmp_path)[-1]["operation"] == "last"
    for path in tmp_path.iterdir():
        assert all(json.loads(line) for line in path.read_text().splitlines())


def test_a_file_that_cannot_be_put_aside_does_not_grow(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    audit = Audit(tmp_path)
    (tmp_path / f"{AUDIT_FILE}.{OLD_FILES}" / "in the way").mkdir(parents=True)
    (tmp_path / f"{AUDIT_FILE}.{OLD_FILES - 1}").write_text("")
    (tmp_path / AUDIT_FILE).write_bytes(b" " * MAX_FILE_BYTES)

    audit.note(entry())

    assert (tmp_path / AUDIT_FILE).stat().st_size == MAX_FILE_BYTES
    assert "audit file" in caplog.text


def test_a_path_cannot_make_a_line_long_or_two(tmp_path: Path) -> None:
    Audit(tmp_path).note(entry(path="/\n{}\u2028" + "x" * 10_000))

    assert len(lines(tmp_path)) == 1
    assert len(lines(tmp_path)[0]["path"]) == 256


async def test_a_file_that_cannot_be_written_is_logged_once_and_stops_nobody(
    api: Any, caplog: pytest.LogCaptureFixture
) -> None:
    path = api.host.folder / AUDIT_FILE
    path.mkdir()

    for _ in range(3):
        assert (await api.ask("DELETE", "/api/v1/session")).status_code == 204

    assert len([it for it in caplog.records if "audit file" in it.getMessage()]) == 1
    path.rmdir()
    assert (await api.ask("DELETE", "/api/v1/session")).status_code == 204
    assert len(lines(api.host.folder)) == 1


def test_a_link_or_a_pipe_in_its_place_is_not_written_to(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("")
    (tmp_path / AUDIT_FILE).symlink_to(elsewhere)
    Audit(tmp_path).note(entry())
    (tmp_path / AUDIT_FILE).unlink()
    os.mkfifo(tmp_path / AUDIT_FILE)
    Audit(tmp_path).note(entry())

    assert elsewhere.read_text() == ""
    assert len([it for it in caplog.records if "audit file" in it.getMessage()]) == 2
