"""A second client and an app that runs already: real workers, the test pattern, real sockets."""

import asyncio
import os
import socket

import attrs
import pytest

from punktfunk.config.settings import OverrideSettings
from punktfunk.errors import Refused
from punktfunk.host.joining import CLIENTS_A_SESSION
from punktfunk.host.ports import Ports
from punktfunk.model.session import StreamEnd
from punktfunk.model.video import VideoMode
from punktfunk.session.messages import StreamEnded

REMOTE = "127.0.0.1"
TERMINATION = 0x0109
RECORDED = VideoMode(width_px=1_280, height_px=720, refresh_mhz=60_000)
"""What the recorded dialogue asks for."""

OTHER_SIZE = VideoMode(width_px=640, height_px=360, refresh_mhz=60_000)


@pytest.fixture
def launch(make_request, client_number, pattern):
    """`await launch(sessions, client=1)`."""

    def start(sessions, client=1, app=pattern, mode=RECORDED, **request):
        asked = make_request(mode=mode, **request)
        return sessions.launch(client_number(client), app, asked, REMOTE)

    return start


@pytest.fixture
def shared(make_sessions):
    """`shared(rule, **settings)`: sessions under this rule, and what they publish."""

    def make(rule: str = "join", **more):
        told = []
        override = OverrideSettings(second_client=rule, **more)
        sessions = make_sessions(override=(override,))
        sessions.publish = lambda event_type, /, **data: told.append((event_type, data))
        return sessions, told

    return make


async def refusal(work) -> tuple[int, str]:
    with pytest.raises(Refused) as caught:
        await work
    return caught.value.fields["status"], str(caught.value)


async def test_a_guest_streams_beside_the_owner_and_is_found_as_its_own(
    shared, launch, play, client_number, base_port
):
    sessions, told = shared()
    session = await launch(sessions, 1)
    owner = await play(session, Ports(base_port))
    assert await launch(sessions, 2) is session
    guest = await play(session, Ports(base_port), client_number(2))

    seen = owner.video_packets
    await asyncio.gather(
        guest.pump(lambda: guest.video_packets > 20),
        owner.pump(lambda: owner.video_packets > seen + 20),
    )

    assert sessions.of_client(client_number(2).fingerprint) is session
    assert len(sessions.all()) == 1
    assert {it.slot for it in session.members} == {0, 1}
    assert session.owner.client.name == "Client 1"
    assert [data["client_name"] for event, data in told if event == "session.joined"] == [
        "Client 2"
    ]
    assert (await refusal(launch(sessions, 2)))[0] == 400


async def test_a_guest_that_quits_leaves_and_its_ports_are_free(
    shared, launch, play, client_number, base_port
):
    sessions, told = shared()
    session = await launch(sessions, 1)
    owner = await play(session, Ports(base_port))
    await launch(sessions, 2)
    guest = await play(session, Ports(base_port), client_number(2))

    leaving = asyncio.create_task(sessions.stop_client(client_number(2).fingerprint))
    await guest.pump(leaving.done)

    assert guest.heard()[-1] == TERMINATION
    assert sessions.of_client(client_number(2).fingerprint) is None
    assert told[-1] == (
        "session.left",
        {
            "session_id": session.id,
            "client": client_number(2).fingerprint,
            "client_name": "Client 2",
            "reason": "stopped",
        },
    )
    seen = owner.video_packets
    await owner.pump(lambda: owner.video_packets > seen + 20)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(("127.0.0.1", Ports(base_port).media(1).video))


async def test_a_guest_that_never_comes_leaves_and_the_session_stays(make_sessions, launch, until):
    sessions = make_sessions(
        handshake_timeout_s=0.5, override=(OverrideSettings(second_client="join"),)
    )
    session = await launch(sessions, 1)
    session.owner.drop_handshake()
    await launch(sessions, 2)

    await until(lambda: len(session.members) == 1)

    assert sessions.all() == (session,)


async def test_the_owners_quit_ends_it_for_all(shared, launch, play, client_number, base_port):
    sessions, _ = shared()
    session = await launch(sessions, 1)
    await play(session, Ports(base_port))
    await launch(sessions, 2)
    guest = await play(session, Ports(base_port), client_number(2))

    ending = asyncio.create_task(sessions.stop_client(client_number(1).fingerprint))
    await guest.pump(ending.done)

    assert guest.heard()[-1] == TERMINATION
    assert sessions.all() == ()


async def test_threat_2_an_unpaired_owner_is_cut_and_the_longest_guest_has_the_session(
    shared, launch, play, client_number, base_port
):
    sessions, told = shared()
    session = await launch(sessions, 1)
    owner = await play(session, Ports(base_port))
    clients = []
    for number in (2, 3):
        await launch(sessions, number)
        clients.append(await play(session, Ports(base_port), client_number(number)))

    sessions.end_client(client_number(1).fingerprint)
    await owner.pump(lambda: owner.enet.disconnected)

    assert owner.heard()[-1] == TERMINATION
    assert session.client == client_number(2).fingerprint
    assert not session.owner.guest
    assert ("session.moved", "Client 2") in [(it, data.get("client_name")) for it, data in told]
    assert not any(client.enet.disconnected for client in clients)


async def test_an_unpaired_owner_leaves_nothing_to_a_guest_that_has_no_picture_yet(
    shared, launch, play, client_number, base_port
):
    sessions, _ = shared()
    session = await launch(sessions, 1)
    await launch(sessions, 2)
    await launch(sessions, 3)
    await play(session, Ports(base_port), client_number(3))

    await sessions.stop_client(client_number(1).fingerprint, StreamEnd.UNPAIRED)

    assert session.client == client_number(3).fingerprint


async def test_threat_2_an_unpaired_owner_leaves_nothing_to_a_guest_that_may_only_watch(
    shared, launch, play, client_number, base_port
):
    sessions, _ = shared(guests="watch")
    session = await launch(sessions, 1)
    await launch(sessions, 2)
    await play(session, Ports(base_port), client_number(2))

    await sessions.stop_client(client_number(1).fingerprint, StreamEnd.UNPAIRED)

    assert sessions.all() == ()


@pytest.mark.parametrize("rule", ["join", "take_over", "refuse"])
async def test_threat_2_a_client_unpaired_while_it_waits_for_anothers_launch_gets_nothing(
    shared, launch, client_number, rule
):
    sessions, _ = shared(rule)
    first = asyncio.create_task(launch(sessions, 1))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(launch(sessions, 2))
    await asyncio.sleep(0)
    sessions.end_client(client_number(2).fingerprint)

    session = await first

    assert (await refusal(waiting))[0] == 401
    assert [it.client.name for it in session.members] == ["Client 1"]


async def test_threat_2_a_client_unpaired_while_it_waits_starts_nothing_when_that_launch_fails(
    shared, launch, client_number, app_on, until, tmp_path
):
    sessions, _ = shared()
    app = app_on("slow")
    first = asyncio.create_task(launch(sessions, 1, app=app))
    await until(lambda: list((tmp_path / "journal").glob("*")))
    waiting = asyncio.create_task(launch(sessions, 2, app=app))
    await asyncio.sleep(0)
    sessions.end_client(client_number(2).fingerprint)

    await sessions.stop_client(client_number(1).fingerprint)

    assert await refusal(first) == (503, "the launch was called off")
    assert (await refusal(waiting))[0] == 401
    assert sessions.all() == ()


async def test_a_refused_guests_key_is_not_used_up_and_an_admitted_ones_is(shared, launch):
    sessions, _ = shared()
    keys = [os.urandom(16), os.urandom(16)]
    session = await launch(sessions, 1, ri_key=keys[0])
    await refusal(launch(sessions, 2, mode=OTHER_SIZE, ri_key=keys[1]))

    assert await launch(sessions, 2, ri_key=keys[1]) is session

    for key in keys:
        assert await refusal(launch(sessions, 3, ri_key=key)) == (
            400,
            "a new stream needs a new key",
        )
    assert len(session.members) == 2


async def test_an_owner_that_never_connected_does_not_end_what_another_has_taken_over(
    shared, launch, converse, client_number
):
    sessions, _ = shared("take_over")
    session = await launch(sessions, 1)
    await converse(session.owner.handshake)
    stream = session.owner.stream
    assert await launch(sessions, 2) is session

    session.worker.on_message(StreamEnded(stream.stream_id, StreamEnd.NEVER_CONNECTED))
    await asyncio.sleep(0)  # what it sets off has had its turn

    assert not session.ending
    assert session.client == client_number(2).fingerprint


async def test_a_second_client_takes_over_with_the_ports_and_the_app(
    shared, launch, play, client_number, base_port
):
    sessions, told = shared("take_over")
    session = await launch(sessions, 1)
    first = await play(session, Ports(base_port))

    assert await launch(sessions, 2) is session
    await first.pump(lambda: first.enet.disconnected)
    second = await play(session, Ports(base_port))

    assert first.heard()[-1] == TERMINATION
    assert second.plan.place == first.plan.place
    assert sessions.of_client(client_number(1).fingerprint) is None
    assert session.client == client_number(2).fingerprint
    assert [data["reason"] for event, data in told if event == "stream.ended"] == [
        StreamEnd.TAKEN_OVER
    ]


async def test_a_second_client_is_told_who_plays(shared, launch):
    sessions, _ = shared("refuse")
    first = asyncio.create_task(launch(sessions, 1))
    await asyncio.sleep(0)

    words = await refusal(launch(sessions, 2))  # although the first is still starting

    assert words == (503, "Client 1 plays Test pattern")
    assert sessions.all() == (await first,)


async def test_a_rule_may_be_about_one_client(shared, launch, client_number):
    sessions, _ = shared("refuse", client=client_number(3).fingerprint)
    session = await launch(sessions, 1)

    assert (await refusal(launch(sessions, 3)))[0] == 503
    assert await launch(sessions, 2) is not session


async def test_another_app_is_no_reason_to_join(shared, launch, app_on):
    sessions, _ = shared()
    session = await launch(sessions, 1)
    other = attrs.evolve(app_on("null"), library_id="custom:1")

    assert await launch(sessions, 2, app=other) is not session


async def test_a_guest_that_would_need_another_size_reads_which_to_choose(shared, launch):
    sessions, _ = shared()
    await launch(sessions, 1)

    assert await refusal(launch(sessions, 2, mode=OTHER_SIZE)) == (
        503,
        "Client 1 plays Test pattern in 1280x720: choose 1280x720 on this device to join",
    )


async def test_threat_39_a_session_has_so_many_clients_and_no_more(shared, launch):
    sessions, _ = shared()
    for number in range(1, CLIENTS_A_SESSION + 1):
        await launch(sessions, number)

    status, words = await refusal(launch(sessions, CLIENTS_A_SESSION + 1))

    assert (status, len(sessions.all())) == (503, 1)
    assert "as many devices as it may (4)" in words


async def test_a_guest_that_is_away_makes_room(shared, launch, client_number):
    sessions, _ = shared()
    for number in range(1, CLIENTS_A_SESSION + 1):
        session = await launch(sessions, number)
    session.members[2].drop_handshake()

    await launch(sessions, 9)

    assert [it.client.name for it in session.members] == [f"Client {n}" for n in (1, 2, 4, 9)]


async def test_a_spectators_stream_says_so_to_the_worker(
    shared, launch, play, client_number, base_port
):
    sessions, _ = shared(guests="watch")
    session = await launch(sessions, 1)
    await play(session, Ports(base_port))
    await launch(sessions, 2)
    guest = await play(session, Ports(base_port), client_number(2))

    assert (guest.plan.guest, guest.plan.watches) == (True, True)
    assert (session.owner.stream.guest, session.owner.stream.watches) == (False, False)


async def test_an_owner_that_comes_back_with_another_size_cuts_its_guests(
    shared, launch, play, converse, client_number, make_request, base_port
):
    sessions, told = shared()
    session = await launch(sessions, 1)
    await play(session, Ports(base_port))
    await launch(sessions, 2)
    guest = await play(session, Ports(base_port), client_number(2))
    await sessions.resume(client_number(1), make_request(mode=OTHER_SIZE), REMOTE)

    talking = asyncio.create_task(
        converse(session.owner.handshake, **{"clientViewportWd:1280": "clientViewportWd:640"})
    )
    await guest.pump(lambda: guest.enet.disconnected and talking.done())

    assert StreamEnd.MODE_CHANGED in [data.get("reason") for _, data in told]
    assert session.mode.width_px == 640


async def test_one_stream_can_be_ended_by_its_number(
    shared, launch, play, client_number, base_port
):
    sessions, _ = shared()
    session = await launch(sessions, 1)
    owner = await play(session, Ports(base_port))
    await launch(sessions, 2)
    guest = await play(session, Ports(base_port), client_number(2))

    for client in (guest, owner):
        ending = asyncio.create_task(sessions.stop_stream(client.plan.stream_id))
        await client.pump(ending.done)
        assert ending.result()

    assert [it.fingerprint for it in session.members] == [client_number(1).fingerprint]
    assert session.owner.away
    assert not await sessions.stop_stream(guest.plan.stream_id)
