import asyncio
import logging

import pytest

from punktfunk.errors import ProtocolError, Refused
from punktfunk.gamestream.pairing import AttemptKey, read_request
from punktfunk.gamestream.pairing_table import WAIT_NS, NoAttemptWaiting
from punktfunk.trust.held_off import MAX_HELD_OFF, HeldOffTable
from punktfunk.trust.identity import load_or_make_identity
from punktfunk.trust.pairing import PairingService
from punktfunk.trust.store import MAX_CLIENTS, ClientStore

KEY = AttemptKey.of("0123456789ABCDEF", "192.168.1.20")


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    return load_or_make_identity(tmp_path_factory.mktemp("identity"))


class Clock:
    now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path):
    return ClientStore(tmp_path)


@pytest.fixture
def service(identity, store, clock):
    return PairingService(identity, store, now_ns=clock)


async def waiting(service, key, client, pairing=None):
    """A client in stage 1, up to the point where a person is asked."""
    salt = pairing.salt if pairing else bytes(16)
    request = read_request("roth", salt, client.certificate_pem)
    before = len(service.pending())
    task = asyncio.ensure_future(service.begin(key, request))
    async with asyncio.timeout(5):
        while len(service.pending()) == before and not task.done():
            await asyncio.sleep(0)
    return task


async def test_a_client_is_stored_only_after_the_last_stage(
    service, store, identity, moonlights, caplog
) -> None:
    caplog.set_level(logging.DEBUG)
    pairing = moonlights[0].pairing("4711")
    begun = await waiting(service, KEY, moonlights[0], pairing)
    assert [(p.address, p.client_name, p.seconds_left) for p in service.pending()] == [
        ("192.168.1.20", "Moonlight", 180)
    ]

    service.submit_pin("4711")
    assert await begun == identity.certificate_pem
    reply = service.answer_challenge(KEY, pairing.stage2())
    service.answer_response(KEY, pairing.stage3(reply))
    assert store.clients() == ()
    client = service.finish(KEY, pairing.stage4())

    assert store.clients() == (client,)
    assert client.fingerprint == moonlights[0].fingerprint
    assert client.subject == "CN=NVIDIA GameStream Client"
    assert service.pending() == ()
    assert "4711" not in caplog.text


async def test_a_wrong_pin_stores_nothing(service, store, moonlights) -> None:
    pairing = moonlights[0].pairing("4711")
    begun = await waiting(service, KEY, moonlights[0], pairing)
    service.submit_pin("1234")
    await begun
    reply = service.answer_challenge(KEY, pairing.stage2())
    service.answer_response(KEY, pairing.stage3(reply))

    assert service.finish(KEY, pairing.stage4()) is None

    assert store.clients() == ()


async def to_stage_4(service, client, pin):
    """A client that shows 4711, after three stages with the PIN that a person typed."""
    pairing = client.pairing("4711")
    begun = await waiting(service, KEY, client, pairing)
    service.submit_pin(pin)
    await begun
    service.answer_response(KEY, pairing.stage3(service.answer_challenge(KEY, pairing.stage2())))
    return pairing.stage4()


async def test_a_wrong_pin_is_told_of_once_whether_client_or_host_finds_out(
    service, moonlights
) -> None:
    told = []
    service.on_failed = lambda attempt, reason: told.append((attempt.id, reason))

    await to_stage_4(service, moonlights[0], "1234")
    service.drop(KEY)
    last = await to_stage_4(service, moonlights[0], "1234")
    service.finish(KEY, last)
    service.drop(KEY)

    assert told == [(1, "wrong_pin"), (2, "wrong_pin")]


async def test_a_client_that_leaves_once_it_is_paired_has_not_failed(service, moonlights) -> None:
    told = []
    service.on_failed = lambda attempt, reason: told.append(reason)
    assert service.finish(KEY, await to_stage_4(service, moonlights[0], "4711"))

    service.drop(KEY)

    assert told == []


async def test_a_client_that_starts_again_has_given_up_before(service, moonlights) -> None:
    told = []
    service.on_failed = lambda attempt, reason: told.append((attempt.id, reason))
    begun = await waiting(service, KEY, moonlights[0])
    service.submit_pin("1234")
    await begun

    again = await waiting(service, KEY, moonlights[0])
    service.drop(KEY)
    with pytest.raises(Refused):
        await again

    assert told == [(1, "given_up"), (2, "given_up")]


async def test_a_stage_out_of_order_lets_the_waiting_client_know(service, moonlights) -> None:
    begun = await waiting(service, KEY, moonlights[0])

    with pytest.raises(ProtocolError):
        service.answer_challenge(KEY, bytes(16))

    with pytest.raises(Refused):
        await begun
    assert service.pending() == ()


async def test_a_replaced_client_stops_waiting(service, moonlights) -> None:
    old = await waiting(service, KEY, moonlights[0])
    request = read_request("roth", bytes(16), moonlights[1].certificate_pem)
    new = asyncio.ensure_future(service.begin(KEY, request))

    with pytest.raises(Refused):
        await old

    assert [p.id for p in service.pending()] == [2]
    with pytest.raises(NoAttemptWaiting):
        service.submit_pin("1234", attempt_id=1)
    service.submit_pin("1234", attempt_id=2)
    await new


async def test_a_client_that_hangs_up_is_forgotten(service, moonlights) -> None:
    begun = await waiting(service, KEY, moonlights[0])

    begun.cancel()
    await asyncio.wait([begun])

    assert service.pending() == ()
    with pytest.raises(NoAttemptWaiting):
        service.submit_pin("1234")


async def test_nobody_waits_longer_than_three_minutes(service, clock, moonlights) -> None:
    clock.now_ns = 5
    begun = await waiting(service, KEY, moonlights[0])

    clock.now_ns = WAIT_NS + 5

    assert service.pending() == ()
    with pytest.raises(NoAttemptWaiting):
        service.submit_pin("1234")
    service.drop(KEY)
    with pytest.raises(Refused, match="no PIN"):
        await begun


async def test_a_full_store_says_so_before_a_person_types_a_pin(
    service, store, moonlights, monkeypatch
) -> None:
    monkeypatch.setattr("punktfunk.trust.store.MAX_CLIENTS", 0)
    request = read_request("roth", bytes(16), moonlights[0].certificate_pem)

    with pytest.raises(Refused, match="no room"):
        await service.begin(KEY, request)

    assert MAX_CLIENTS > 0 and service.pending() == ()


async def test_who_waits_shows_for_how_long(service, moonlights, clock) -> None:
    begun = await waiting(service, KEY, moonlights[0])
    clock.now_ns += 12_400_000_000

    (pending,) = service.pending()

    assert (pending.age_s, pending.seconds_left) == (12, 168)
    begun.cancel()


async def fail_until_held_off(service, client) -> None:
    """Ten tries without a PIN are what an address has."""
    for _ in range(10):
        begun = await waiting(service, KEY, client)
        begun.cancel()
        await asyncio.wait([begun])


async def test_a_device_that_may_not_try_again_yet_is_shown_with_its_wait(
    service, moonlights, clock
) -> None:
    told = []
    service.on_held_off = told.append
    await fail_until_held_off(service, moonlights[0])
    assert service.held_off() == ()

    for _ in range(5):
        refused = await waiting(service, KEY, moonlights[0])
        with pytest.raises(Refused, match="wait 7 s"):
            await refused

    (device,) = service.held_off()
    assert (device.address, device.client_name) == ("192.168.1.20", "Moonlight")
    assert device.seconds_left == 7
    assert told == [device]  # once, however often it asks
    clock.now_ns += 4_000_000_000
    assert service.held_off()[0].seconds_left == 3
    clock.now_ns += 3_000_000_000
    assert service.held_off() == ()


def test_a_flood_of_addresses_is_noted_in_part_only() -> None:
    table = HeldOffTable(lambda: 0)

    told = [table.note(f"10.0.0.{number}", "Moonlight", 6) for number in range(200)]

    assert sum(it is not None for it in told) == MAX_HELD_OFF
    assert len(table.devices()) == MAX_HELD_OFF
