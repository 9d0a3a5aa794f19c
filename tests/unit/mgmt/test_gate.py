"""Who is let in: over every route there is, and some that there are not."""

import re
from typing import Any

import pytest

from punktfunk.mgmt.backoff import (
    BURST,
    GLOBAL_BURST,
    GLOBAL_REFILL_NS,
    MAX_ADDRESSES,
    WrongTokens,
)
from punktfunk.mgmt.contract import read_contract
from punktfunk.mgmt.uploads import MAX_BODY_BYTES, most_bytes

TOKEN = "0123456789abcdef" * 4
OPERATIONS = read_contract().operations.values()
ROUTES = [
    *((operation.method, re.sub(r"{\w+}", "0" * 64, operation.path)) for operation in OPERATIONS),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/"),
    ("GET", "/api/v1/nothing/here"),
    ("POST", "/api/v1/status"),
]
GUARDED = [route for route in ROUTES if route != ("GET", "/api/v1/health")]
UNSAFE = [route for route in ROUTES if route[0] != "GET"]
FOREIGN_HOSTS = (
    "evil.example:47990",
    "127.0.0.1.nip.io",
    "127.0.0.1.:47990",
    "EVIL.EXAMPLE:47990",
    "localhost.:47990",
    "localhost.evil.example",
    "[fe80::1%25eth0]:47990",
    "::1",
    "0.0.0.0:47990",
    "192.168.1.2:47990",
    "2130706433",
    "127.0.0.1:47990@evil.example",
    "127.0.0.1:port",
    "",
)
FROM_ANOTHER_SITE = (
    ("Origin", "https://evil.example"),
    ("Origin", "null"),
    ("Origin", "http://127.0.0.1:47990.evil.example"),
    ("Origin", "http://127.0.0.1:3000"),
    ("Origin", "http://evil127.0.0.1:47990"),
    ("Origin", "https://127.0.0.1:47990"),
    ("Sec-Fetch-Site", "cross-site"),
    ("Sec-Fetch-Site", "same-site"),
    ("Sec-Fetch-Site", "anything"),
)
BODY = {"POST": b'{"pin": "1234"}'}

every_route = pytest.mark.parametrize(("method", "path"), ROUTES)
every_guarded_route = pytest.mark.parametrize(("method", "path"), GUARDED)
every_unsafe_route = pytest.mark.parametrize(("method", "path"), UNSAFE)


async def error_of(answer: Any) -> str:
    return (await answer.get_json())["error"]


@every_guarded_route
async def test_without_a_token_nothing_is_told_not_even_whether_a_path_exists(
    api: Any, method: str, path: str
) -> None:
    answer = await api.ask(method, path, token=None)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].lower().startswith("bearer")
    assert await error_of(answer)


@every_guarded_route
async def test_a_wrong_token_opens_nothing(api: Any, method: str, path: str) -> None:
    for token in ("x", TOKEN[:-1], TOKEN + "0", TOKEN.upper()):
        answer = await api.ask(method, path, token=token)

        assert answer.status_code == 401
        assert TOKEN not in await error_of(answer)


@pytest.mark.parametrize(
    "value",
    ["", TOKEN, f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN} {TOKEN}", f"Bearer,{TOKEN}"],
)
async def test_the_token_counts_only_as_a_bearer_token(api: Any, value: str) -> None:
    answer = await api.ask("GET", "/api/v1/status", token=None, headers=[("Authorization", value)])

    assert answer.status_code == 401


async def test_two_tokens_are_none(api: Any) -> None:
    answer = await api.ask("GET", "/api/v1/status", headers=[("Authorization", "Bearer x")])

    assert answer.status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_is_read_in_any_case(api: Any, scheme: str) -> None:
    header = ("Authorization", f"{scheme} {TOKEN}")

    answer = await api.ask("GET", "/api/v1/status", token=None, headers=[header])

    assert answer.status_code == 200


async def test_threat_23_a_token_in_the_url_is_worth_nothing(api: Any) -> None:
    answer = await api.ask("GET", f"/api/v1/status?token={TOKEN}&access_token={TOKEN}", token=None)

    assert answer.status_code == 401


@every_route
async def test_threat_16_a_foreign_host_header_is_refused_everywhere(
    api: Any, method: str, path: str
) -> None:
    for host in FOREIGN_HOSTS:
        answer = await api.ask(method, path, host=host)

        assert answer.status_code == 421, host
        assert await error_of(answer)


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:47990", "127.0.0.1", "127.0.0.1:8080", "[::1]:47990", "box.lan"],
)
async def test_our_own_names_are_accepted(api: Any, host: str) -> None:
    assert (await api.ask("GET", "/api/v1/health", host=host)).status_code == 200


async def test_the_address_that_took_the_connection_is_ours_too(api: Any) -> None:
    server = ("192.168.1.2", 47990)

    answer = await api.ask("GET", "/api/v1/health", host="192.168.1.2:47990", server=server)

    assert answer.status_code == 200


async def test_threat_16_two_host_headers_are_refused(api: Any) -> None:
    answer = await api.ask("GET", "/api/v1/health", headers=[("Host", "localhost")])

    assert answer.status_code == 421


@every_unsafe_route
async def test_threat_15_a_page_of_another_site_changes_nothing_even_with_the_token(
    api: Any, method: str, path: str
) -> None:
    before = api.state()

    for header in FROM_ANOTHER_SITE:
        answer = await api.ask(method, path, headers=[header], body=BODY.get(method))

        assert answer.status_code == 403, header
    assert api.state() == before


async def test_our_own_page_may(api: Any) -> None:
    headers = [("Origin", "http://127.0.0.1:47990"), ("Sec-Fetch-Site", "same-origin")]

    assert (await api.ask("DELETE", "/api/v1/session", headers=headers)).status_code == 204


@every_route
async def test_threat_17_no_pre_flight_is_ever_answered_with_leave(
    api: Any, method: str, path: str
) -> None:
    headers = [
        ("Origin", "https://evil.example"),
        ("Access-Control-Request-Method", method),
        ("Access-Control-Request-Private-Network", "true"),
    ]

    for token in (None, TOKEN):
        answer = await api.ask("OPTIONS", path, headers=headers, token=token)
        assert answer.status_code in (401, 404, 405)
        assert "Access-Control" not in str(answer.headers)


@every_route
async def test_a_body_that_is_far_too_long_is_refused_everywhere(
    api: Any, method: str, path: str
) -> None:
    body = b" " * (most_bytes(method, path) + 1)
    headers = [("Content-Length", str(len(body)))]

    answer = await api.ask(method, path, headers=headers, body=body)

    assert answer.status_code == 413


def test_threat_20_only_pictures_may_be_long() -> None:
    longer = {
        operation.id
        for operation in read_contract().operations.values()
        if most_bytes(operation.method, operation.path) > MAX_BODY_BYTES
    }

    assert longer == {"putCustomArt"}


async def test_threat_24_whoever_tries_tokens_is_slowed_down_and_the_owner_is_not(api: Any) -> None:
    statuses = [
        (await api.ask("GET", "/api/v1/status", token=f"{number:064x}")).status_code
        for number in range(BURST + 1)
    ]
    refused = await api.ask("GET", "/api/v1/status", token="wrong")

    assert statuses == [401] * BURST + [429]
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 3
    assert (await api.ask("GET", "/api/v1/status")).status_code == 200

    api.now_ns += 2_000_000_000
    assert (await api.ask("GET", "/api/v1/status", token="wrong")).status_code == 401


def test_threat_24_tries_from_many_addresses_are_slowed_down_together() -> None:
    now_ns = 0
    wrong = WrongTokens(lambda: now_ns)

    waits = [wrong.wait_s(f"192.0.2.{number}") for number in range(GLOBAL_BURST + 1)]

    assert waits == [0] * GLOBAL_BURST + [1]
    now_ns += GLOBAL_REFILL_NS
    assert wrong.wait_s("192.0.2.99") == 0
    assert wrong.wait_s("192.0.2.99") > 0


async def test_a_missing_token_is_no_attempt(api: Any) -> None:
    for _ in range(BURST * 2):
        assert (await api.ask("GET", "/api/v1/status", token=None)).status_code == 401


def test_threat_24_the_memory_of_wrong_tokens_is_bounded() -> None:
    wrong = WrongTokens(lambda: 0)

    for number in range(MAX_ADDRESSES * 3):
        wrong.wait_s(str(number))

    assert len(wrong._buckets) == MAX_ADDRESSES


async def test_threat_23_a_wrong_token_is_logged_without_the_token(api: Any, caplog: Any) -> None:
    await api.ask("GET", "/api/v1/status", token="not-the-one")

    assert "wrong token" in caplog.text
    assert "not-the-one" not in caplog.text
