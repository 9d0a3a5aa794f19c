"""Native pairing through the API, with and without the plane."""

from typing import Any

import pytest

from punktfunk.model.access import Scope
from punktfunk.model.clients import fingerprint_of

DECK = fingerprint_of(b"deck")
ID_PATHS = ("/api/v1/native/pending/{}/approve", "/api/v1/native/pending/{}/deny")


@pytest.fixture
def native(api: Any) -> Any:
    api.host.native.enable()
    return api.host.native


async def test_without_the_plane_lists_are_told_and_nothing_can_be_done(api: Any) -> None:
    api.host.native.proved(DECK, "Deck")

    status = await (await api.ask("GET", "/api/v1/native/pair")).get_json()
    assert status == {
        "enabled": False,
        "armed": False,
        "pin": None,
        "expires_in_secs": None,
        "paired_clients": 1,
    }
    assert (await api.ask("GET", "/api/v1/native/clients")).status_code == 200
    assert await (await api.ask("GET", "/api/v1/native/pending")).get_json() == []
    for method, path, body in (
        ("POST", "/api/v1/native/pair/arm", {}),
        ("DELETE", "/api/v1/native/pair", None),
        ("DELETE", f"/api/v1/native/clients/{DECK}", None),
        ("POST", ID_PATHS[0].format(0), {}),
        ("POST", ID_PATHS[1].format(0), None),
    ):
        answer = await api.ask(method, path, json=body)
        assert answer.status_code == 503
        assert "not enabled" in (await answer.get_json())["error"]
    assert api.host.native.is_paired(DECK)


async def test_arming_shows_a_pin_until_it_is_disarmed(api: Any, native: Any) -> None:
    armed = await (await api.ask("POST", "/api/v1/native/pair/arm", json={})).get_json()
    api.host.now_ns += 500_000_000

    assert (armed["enabled"], armed["armed"], armed["expires_in_secs"]) == (True, True, 120)
    assert await (await api.ask("GET", "/api/v1/native/pair")).get_json() == armed
    assert native.begin() == armed["pin"]

    assert (await api.ask("DELETE", "/api/v1/native/pair")).status_code == 204
    assert (await api.ask("DELETE", "/api/v1/native/pair")).status_code == 204
    shown = await (await api.ask("GET", "/api/v1/native/pair")).get_json()
    assert (shown["armed"], shown["pin"], shown["expires_in_secs"]) == (False, None, None)


@pytest.mark.parametrize(("asked", "given"), [(0, 15), (60, 60), (9_999, 600), (None, 120)])
async def test_the_time_is_kept_within_its_bounds(
    api: Any, native: Any, asked: int | None, given: int
) -> None:
    answer = await api.ask("POST", "/api/v1/native/pair/arm", json={"ttl_secs": asked})

    assert (await answer.get_json())["expires_in_secs"] == given


@pytest.mark.parametrize("ttl", [-1, 2**31, 1.5, "60", True, []])
async def test_a_time_that_is_none_arms_nothing(api: Any, native: Any, ttl: object) -> None:
    answer = await api.ask("POST", "/api/v1/native/pair/arm", json={"ttl_secs": ttl})

    assert answer.status_code == 422
    assert native.shown_pin() is None


async def test_a_reader_does_not_get_to_see_the_pin(api: Any, native: Any) -> None:
    native.arm()
    text, _ = api.host.tokens.create(Scope.READ)

    answer = await api.ask("GET", "/api/v1/native/pair", token=text)

    assert answer.status_code == 403
    assert native.shown_pin().pin not in await answer.get_data(as_text=True)


async def test_who_waits_is_shown_with_where_it_came_from(api: Any, native: Any) -> None:
    native.knock(DECK, "Deck \x1b[31m", "192.168.1.9")
    api.host.now_ns += 61_000_000_000

    assert await (await api.ask("GET", "/api/v1/native/pending")).get_json() == [
        {
            "id": 0,
            "name": r"Deck \x1b[31m",
            "fingerprint": DECK,
            "address": "192.168.1.9",
            "age_secs": 61,
        }
    ]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "Deck"),
        ({"name": None}, "Deck"),
        ({"name": "  "}, "Deck"),
        ({"name": "Living room"}, "Living room"),
        ({"name": "\u202eTV"}, r"\u202eTV"),
    ],
)
async def test_an_approved_device_is_paired_under_its_or_the_persons_name(
    api: Any, native: Any, body: Any, name: str
) -> None:
    waiting = native.knock(DECK, "Deck", "192.168.1.9")

    answer = await api.ask("POST", ID_PATHS[0].format(waiting.id), json=body)

    approved = await answer.get_json()
    assert answer.status_code == 200
    assert (approved["name"], approved["fingerprint"]) == (name, DECK)
    assert await (await api.ask("GET", "/api/v1/native/clients")).get_json() == [approved]
    assert (await api.ask("POST", ID_PATHS[0].format(waiting.id), json={})).status_code == 404


async def test_a_denied_device_is_not_paired(api: Any, native: Any) -> None:
    waiting = native.knock(DECK, "Deck", "192.168.1.9")

    assert (await api.ask("POST", ID_PATHS[1].format(waiting.id))).status_code == 204
    assert (await api.ask("POST", ID_PATHS[1].format(waiting.id))).status_code == 404
    assert native.store.clients() == ()


@pytest.mark.parametrize("path", ID_PATHS)
@pytest.mark.parametrize(
    ("number", "status"),
    [("7", 404), ("x", 404), ("1.5", 404), ("9" * 5_000, 404), ("2147483648", 422), ("-1", 422)],
)
async def test_numbers_that_name_nobody(
    api: Any, native: Any, path: str, number: str, status: int
) -> None:
    answer = await api.ask("POST", path.format(number), json={})

    assert answer.status_code == status


async def test_a_native_client_is_unpaired_once_in_any_case_of_letters(
    api: Any, native: Any
) -> None:
    native.proved(DECK, "Deck")
    path = f"/api/v1/native/clients/{DECK.upper()}"

    assert (await api.ask("DELETE", path)).status_code == 204
    assert (await api.ask("DELETE", path)).status_code == 404
    assert (await api.ask("DELETE", "/api/v1/native/clients/short")).status_code == 400


async def test_a_disk_that_refuses_is_not_taken_for_a_missing_plane(
    api: Any, native: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    waiting = native.knock(DECK, "Deck", "192.168.1.9")
    monkeypatch.setattr("punktfunk.trust.records.write_with_backup", full)

    answer = await api.ask("POST", ID_PATHS[0].format(waiting.id), json={})

    assert answer.status_code == 500
    assert "No space left" in (await answer.get_json())["error"]
    assert not native.is_paired(DECK)
    assert len(native.pending()) == 1


async def test_a_native_client_is_renamed(api: Any, native: Any) -> None:
    native.proved(DECK, "Deck")

    path = f"/api/v1/native/clients/{DECK}"
    answer = await api.ask("PATCH", path, json={"name": " Living room "})

    assert (await answer.get_json())["name"] == "Living room"
    assert native.store.get(DECK).name == "Living room"
    assert (await api.ask("PATCH", path, json={"name": " "})).status_code == 400
    other = f"/api/v1/native/clients/{'0' * 64}"
    assert (await api.ask("PATCH", other, json={"name": "TV"})).status_code == 404
