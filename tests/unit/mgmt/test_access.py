"""Every operation of the contract against every kind of token and every kind of bad body."""

import hmac
import json
import re
from typing import Any

import pytest

from punktfunk.mgmt.contract import SCOPE_MEMBER, Operation, read_contract
from punktfunk.model.access import Scope
from punktfunk.model.clients import fingerprint_of

DOCUMENT: dict[str, Any] = json.loads(read_contract().text)
OPERATIONS = list(read_contract().operations.values())
GUARDED = [it for it in OPERATIONS if it.scope is not None]
WITH_BODY = [
    it
    for it in OPERATIONS
    if DOCUMENT["paths"][it.path][it.method.lower()].get("requestBody", {}).get("required")
]

MEDIA_TYPES_OF_FORMS = (
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
)
BODIES_WITHOUT_SENSE = {
    b"": 400,
    b"{": 400,
    b"\xff\xfe": 400,
    b"[" * 60_000: 400,
    b'{"x": NaN}': 400,
    b"[]": 422,
    b"1": 422,
    b"null": 422,
}
OF_PICTURES = {"putCustomArt"}
"""Their bodies are no JSON; `test_library_routes.py` has those that make no sense."""
FOREIGN_ORIGINS = (
    "null",
    "http://localhost:3000",
    "http://localhost:47990.evil.example",
    "http://evil.example#http://localhost:47990",
    "*",
)


def for_each(operations: list[Operation]) -> Any:
    return pytest.mark.parametrize("operation", operations, ids=lambda operation: operation.id)


def path_of(operation: Operation) -> str:
    """The operation's path, naming things that are there where that is easily done."""
    there = {"fingerprint": fingerprint_of(b"Deck"), "id": "0"}
    return re.sub(r"{(\w+)}", lambda match: there.get(match[1], "0"), operation.path)


@pytest.fixture
def ready(api: Any) -> Any:
    """Something to lose: native pairing armed, a device waiting, sessions, a native client."""
    native = api.host.native
    native.enable()
    native.proved(fingerprint_of(b"Deck"), "Deck")
    native.arm()
    native.knock(fingerprint_of(b"TV"), "TV", "192.168.1.9")
    return api


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_every_operation_says_which_scope_it_needs(operation: Operation) -> None:
    members = DOCUMENT["paths"][operation.path][operation.method.lower()]

    assert members.get(SCOPE_MEMBER) in {"none", *(scope.value for scope in Scope)}
    assert (members[SCOPE_MEMBER] == "none") is (operation.id == "getHealth")
    if operation.method != "GET":
        assert members[SCOPE_MEMBER] != "read", "reading changes nothing"


@for_each(GUARDED)
@pytest.mark.parametrize("kind", ["none", "wrong", "revoked", "expired", "of another host"])
async def test_no_token_that_is_worth_nothing_gets_anywhere(
    ready: Any, operation: Operation, kind: str, tmp_path_factory: Any
) -> None:
    tokens = ready.host.tokens
    text, made = tokens.create(Scope.ADMIN, expires_days=1)
    if kind == "expired":
        ready.host.wall_s += 86_400
        assert tokens.match(text) is None
    elif kind == "revoked":
        tokens.revoke(made.id)
    elif kind == "wrong":
        text += "x"
    elif kind == "of another host":
        other = type(ready.host)(tmp_path_factory.mktemp("other"))
        text, _ = other.tokens.create(Scope.ADMIN)
    before = ready.state()

    answer = await ready.ask(
        operation.method, path_of(operation), token=None if kind == "none" else text, body=b"{"
    )

    assert answer.status_code == 401
    assert list(await answer.get_json()) == ["error"]
    assert text not in str(await answer.get_json())
    assert ready.state() == before


@for_each(GUARDED)
@pytest.mark.parametrize("scope", Scope, ids=lambda scope: scope.value)
async def test_a_scope_opens_what_it_includes_and_nothing_else(
    ready: Any, operation: Operation, scope: Scope
) -> None:
    text, _ = ready.host.tokens.create(scope)
    before = ready.state()

    answer = await ready.ask(operation.method, path_of(operation), token=text)

    assert operation.scope
    if scope.includes(operation.scope):
        assert answer.status_code not in (401, 403, 421, 429)
        return
    assert answer.status_code == 403
    assert await answer.get_json() == {
        "error": f"this token's scope is {scope.value}; this needs {operation.scope.value}"
    }
    assert ready.state() == before


async def test_an_operation_that_nobody_classified_is_the_administrators(ready: Any) -> None:
    @ready.app.post("/unheard-of", endpoint="unheardOf")
    async def unheard_of() -> str:
        return "done"

    for scope, status in ((Scope.CONTROL, 403), (Scope.ADMIN, 200)):
        text, _ = ready.host.tokens.create(scope)
        assert (await ready.ask("POST", "/unheard-of", token=text)).status_code == status


async def test_a_reader_may_know_that_a_path_does_not_exist(ready: Any) -> None:
    text, _ = ready.host.tokens.create(Scope.READ)

    assert (await ready.ask("POST", "/api/v1/nothing", token=text)).status_code == 404
    assert (await ready.ask("PUT", "/api/v1/status", token=text)).status_code == 405


@for_each(WITH_BODY)
async def test_threat_15_a_body_as_a_web_page_can_send_it_is_refused(
    ready: Any, operation: Operation
) -> None:
    before = ready.state()

    for media_type in (*MEDIA_TYPES_OF_FORMS, ""):
        answer = await ready.ask(
            operation.method,
            path_of(operation),
            headers=[("Content-Type", media_type)] if media_type else (),
            body=b'{"pin": "1234", "name": "x", "scope": "admin", "title": "x"}',
        )

        assert answer.status_code == 415
        assert list(await answer.get_json()) == ["error"]
    assert ready.state() == before


@for_each([it for it in WITH_BODY if it.id not in OF_PICTURES])
async def test_a_body_that_makes_no_sense_changes_nothing(ready: Any, operation: Operation) -> None:
    headers = [("Content-Type", "application/json")]
    before = ready.state()

    for body, status in BODIES_WITHOUT_SENSE.items():
        answer = await ready.ask(operation.method, path_of(operation), headers=headers, body=body)

        assert answer.status_code == status, body[:20]
        assert list(await answer.get_json()) == ["error"]
    assert ready.state() == before


@for_each(OPERATIONS)
async def test_threat_17_no_origin_is_ever_given_leave(ready: Any, operation: Operation) -> None:
    for origin in FOREIGN_ORIGINS:
        headers = [("Origin", origin), ("Cookie", "a=b")]

        answer = await ready.ask(operation.method, path_of(operation), headers=headers)

        assert "access-control" not in str(answer.headers).lower()
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        if operation.method != "GET":
            assert answer.status_code == 403, origin


@pytest.mark.parametrize("wanted", [0, 31, 63, None])
def test_threat_24_every_hash_is_compared_wherever_the_right_one_is(
    api: Any, monkeypatch: pytest.MonkeyPatch, wanted: int | None
) -> None:
    texts = [api.host.tokens.create(Scope.READ)[0] for _ in range(64)]
    compared: list[bool] = []
    compare = hmac.compare_digest

    def counting(one: str, other: str) -> bool:
        compared.append(compare(one, other))
        return compared[-1]

    monkeypatch.setattr("punktfunk.trust.tokens.hmac.compare_digest", counting)
    api.host.tokens.match("wrong" if wanted is None else texts[wanted])

    assert len(compared) == 64
