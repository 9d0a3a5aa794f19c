"""Scoped tokens through the API."""

import asyncio
from typing import Any

import pytest

from punktfunk.model.access import Scope
from punktfunk.trust.tokens import MAX_TOKENS

PATH = "/api/v1/tokens"


async def create(api: Any, **wanted: Any) -> Any:
    answer = await api.ask("POST", PATH, json=wanted)
    assert answer.status_code == 201
    return await answer.get_json()


async def test_a_token_is_shown_once_and_works_until_it_is_revoked(api: Any) -> None:
    made = await create(api, scope="read", name="Home automation")
    text, token_id = made["token"], made["info"]["id"]

    listed = await api.ask("GET", PATH)
    assert await listed.get_json() == [made["info"]]
    assert text not in await listed.get_data(as_text=True)
    assert (await api.ask("GET", "/api/v1/status", token=text)).status_code == 200

    assert (await api.ask("DELETE", f"{PATH}/{token_id}")).status_code == 204
    assert (await api.ask("GET", "/api/v1/status", token=text)).status_code == 401
    assert (await api.ask("DELETE", f"{PATH}/{token_id}")).status_code == 404


async def test_what_is_known_of_a_token_holds_no_hash(api: Any) -> None:
    made = await create(api, scope="control", expires_days=30)

    assert made["info"] == {
        "id": made["info"]["id"],
        "name": "",
        "scope": "control",
        "created_at_unix": api.host.wall_s,
        "expires_at_unix": api.host.wall_s + 30 * 86_400,
        "expired": False,
    }


async def test_an_expired_token_is_still_listed_and_opens_nothing(api: Any) -> None:
    made = await create(api, scope="admin", expires_days=1)
    api.host.wall_s += 86_400

    assert (await api.ask("GET", PATH, token=made["token"])).status_code == 401
    listed = await (await api.ask("GET", PATH)).get_json()
    assert [it["expired"] for it in listed] == [True]


async def test_a_token_may_revoke_itself_when_it_is_the_administrators(api: Any) -> None:
    made = await create(api, scope="admin")

    path = f"{PATH}/{made['info']['id']}"
    assert (await api.ask("DELETE", path, token=made["token"])).status_code == 204
    assert (await api.ask("GET", PATH, token=made["token"])).status_code == 401


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"scope": "root"},
        {"scope": None},
        {"scope": "read", "name": "x" * 65},
        {"scope": "read", "expires_days": 0},
        {"scope": "read", "expires_days": 3_651},
        {"scope": "read", "expires_days": "30"},
    ],
)
async def test_what_the_schema_does_not_know_makes_no_token(api: Any, wanted: Any) -> None:
    assert (await api.ask("POST", PATH, json=wanted)).status_code == 422
    assert api.host.tokens.tokens() == ()


async def test_threat_28_a_name_that_does_not_print_is_refused(api: Any) -> None:
    answer = await api.ask("POST", PATH, json={"scope": "read", "name": "\x1b[31m"})

    assert answer.status_code == 400
    assert "\x1b" not in (await answer.get_json())["error"]


async def test_the_number_of_tokens_is_bounded(api: Any) -> None:
    for _ in range(MAX_TOKENS):
        api.host.tokens.create(Scope.READ)

    assert (await api.ask("POST", PATH, json={"scope": "read"})).status_code == 409


async def test_trying_tokens_does_not_slow_down_the_holder_of_one(api: Any) -> None:
    made = await create(api, scope="read")
    for _ in range(20):
        await api.ask("GET", "/api/v1/status", token="wrong")

    assert (await api.ask("GET", "/api/v1/status", token="wrong")).status_code == 429
    assert (await api.ask("GET", "/api/v1/status", token=made["token"])).status_code == 200


async def test_who_follows_events_hears_no_more_once_the_token_is_revoked(api: Any) -> None:
    bus = api.host.events
    text, made = api.host.tokens.create(Scope.READ)

    async def follow() -> str:
        headers = {"Authorization": f"Bearer {text}", "Host": "localhost"}
        answer = await api.app.test_client().get("/api/v1/events", headers=headers)
        told: str = await answer.get_data(as_text=True)
        return told

    async with asyncio.timeout(60):
        following = asyncio.create_task(follow())
        while not bus._subscriptions:
            await asyncio.sleep(0)
        api.host.tokens.revoke(made.id)
        bus.publish("pairing.waiting", pairing_id=1, name="TV", address="192.168.1.9")
        told = await following

    assert "retry" in told
    assert "pairing.waiting" not in told
