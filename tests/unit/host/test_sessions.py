"""All sessions of a host: real workers, the built-in test pattern, real sockets."""

import asyncio
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from punktfunk.config.settings import OverrideSettings, PrepSettings
from punktfunk.errors import Refused
from punktfunk.host.ports import Ports
from punktfunk.model.session import StreamEnd
from punktfunk.model.video import Codec
from punktfunk.session.supervisor import WorkerLimits

REMOTE = "127.0.0.1"
TERMINATION = 0x0109
PATIENT = WorkerLimits(quit_s=60)
FAR_LESS_THAN_SLOW_S = 30
"""A display that is slow takes minutes, and a patient host would not kill it before."""


@pytest.fixture
def launch(make_request, client_number, pattern):
    """`await launch(sessions, client=1, app=pattern)`."""

    def start(sessions, client=1, app=pattern, **request):
        return sessions.launch(client_number(client), app, make_request(**request), REMOTE)

    return start


async def refusal(work) -> tuple[int, str]:
    with pytest.raises(Refused) as caught:
        await work
    return caught.value.fields["status"], str(caught.value)


async def test_a_launched_session_expects_its_client(sessions, launch):
    started = []
    sessions.on_started = started.append
    session = await launch(sessions)

    assert sessions.all() == (session,)
    assert sessions.pending_sessions() == [session.owner.handshake]
    assert started == [session]
    await sessions.end(session)
    assert sessions.all() == ()
    assert sessions.pending_sessions() == []


async def test_a_client_has_one_session_and_is_told_so(sessions, launch, client_number):
    first = asyncio.create_task(launch(sessions))
    await asyncio.sleep(0)
    assert (await refusal(launch(sessions)))[0] == 400  # while the first is still starting
    session = await first

    assert (await refusal(launch(sessions)))[0] == 400
    assert sessions.of_client(client_number(1).fingerprint) is session
    assert sessions.of_client(client_number(2).fingerprint) is None


async def test_threat_39_the_limit_is_a_readable_refusal_and_harms_nobody(sessions, launch):
    first, second = await asyncio.gather(launch(sessions, 1), launch(sessions, 2))

    status, words = await refusal(launch(sessions, 3))

    assert status == 503
    assert "as many devices as it may (2)" in words
    assert {it.slot for it in sessions.all()} == {0, 1}
    assert first.worker.alive
    assert second.worker.alive


async def test_a_slot_and_its_ports_are_used_again(sessions, launch, base_port):
    first = await launch(sessions, 1)
    second = await launch(sessions, 2)
    await sessions.end(first)

    third = await launch(sessions, 3)

    assert (third.slot, second.slot) == (0, 1)
    assert third.id not in (first.id, second.id)


async def test_a_taken_port_is_a_503_and_leaves_nothing(sessions, launch, base_port):
    port = Ports(base_port).media(0).control
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", port))
        status, words = await refusal(launch(sessions))

    assert status == 503
    assert f"UDP port {port} is taken" in words
    assert sessions.all() == ()
    assert (await launch(sessions)).slot == 0


async def test_an_app_that_cannot_start_is_a_503_that_says_what_to_do(sessions, launch, app_on):
    status, words = await refusal(launch(sessions, app=app_on("unavailable")))

    assert status == 503
    assert words == "App could not be started: unavailable: no such card (insert a card)"
    assert sessions.all() == ()
    assert (await launch(sessions)).slot == 0


async def test_a_display_that_starts_and_fails_leaves_nothing(sessions, launch, app_on):
    status, words = await refusal(launch(sessions, app=app_on("failing")))

    assert (status, words) == (503, "App could not be started: it started and failed")


async def test_a_client_that_never_comes_gives_its_session_back(make_sessions, launch, until):
    sessions = make_sessions(handshake_timeout_s=0.3)
    ended = []
    sessions.on_ended = lambda session, cause: ended.append(cause)
    await launch(sessions)

    await until(lambda: sessions.all() == ())

    assert ended == [""]


async def test_a_client_that_stops_half_way_gives_its_session_back(
    make_sessions, launch, converse, until
):
    sessions = make_sessions(handshake_timeout_s=0.3)
    session = await launch(sessions)
    await converse(session.owner.handshake, requests=4)

    await until(lambda: sessions.all() == ())


async def test_a_refused_stream_frees_the_client_to_launch_anew_at_once(
    sessions, launch, converse, until
):
    session = await launch(sessions)
    answers = await converse(session.owner.handshake, **{"bitStreamFormat:0": "bitStreamFormat:1"})
    assert answers[-1].status == 400

    await until(lambda: sessions.all() == ())

    assert (await launch(sessions)).slot == 0


async def test_a_client_that_left_early_can_come_back_later(
    make_sessions, launch, play, until, base_port
):
    sessions = make_sessions(handshake_timeout_s=0.5)
    session = await launch(sessions)
    client = await play(session, Ports(base_port))
    assert sessions.pending_sessions() == []
    client.enet.say_goodbye()
    await client.pump(lambda: session.owner.stream is None)

    await asyncio.sleep(1.0)  # longer than a handshake may take

    assert sessions.all() == (session,)
    assert session.worker.alive


async def test_a_stream_is_known_to_be_connected_and_to_be_over(
    sessions, launch, play, until, base_port
):
    session = await launch(sessions)
    client = await play(session, Ports(base_port))
    await client.pump(lambda: session.owner.connected and session.owner.sample)
    assert session.owner.sample.frames_new > 0

    session.owner.stop_stream(StreamEnd.STOPPED)
    await client.pump(lambda: session.owner.stream is None)

    assert not session.owner.connected
    assert session.owner.sample is None


async def test_a_resume_takes_the_place_of_the_stream(
    sessions, launch, play, base_port, make_request, client_number
):
    session = await launch(sessions)
    first = await play(session, Ports(base_port))
    resumed = await sessions.resume(client_number(1), make_request(), REMOTE)
    assert resumed is session
    await first.pump(lambda: first.enet.disconnected)
    assert first.heard()[-1] == TERMINATION

    second = await play(session, Ports(base_port))

    assert second.plan.stream_id != first.plan.stream_id
    assert session.owner.stream.stream_id == second.plan.stream_id


async def test_a_key_is_never_used_twice(sessions, launch, make_request, client_number):
    key = os.urandom(16)
    await launch(sessions, ri_key=key)

    status, words = await refusal(
        sessions.resume(client_number(1), make_request(ri_key=key), REMOTE)
    )

    assert (status, words) == (400, "a new stream needs a new key")


async def test_nothing_to_resume_is_a_503(sessions, launch, make_request, client_number):
    await launch(sessions, 1)

    assert (await refusal(sessions.resume(client_number(2), make_request(), REMOTE)))[0] == 503


async def test_a_handshake_that_a_resume_replaced_starts_nothing(
    sessions, launch, make_request, client_number, converse
):
    session = await launch(sessions)
    old = session.owner.handshake
    await converse(old, requests=5)
    await sessions.resume(client_number(1), make_request(), REMOTE)
    new = session.owner.handshake

    answers = await converse(new)
    late = await converse(old)

    assert answers[-1].status == 200
    assert late[-1].status != 200
    assert session.owner.stream.stream_id == new.id


async def test_threat_2_unpairing_ends_the_stream_within_a_second(
    sessions, launch, play, client_number, base_port
):
    session = await launch(sessions)
    client = await play(session, Ports(base_port))
    other = await launch(sessions, 2)
    began = time.monotonic()
    sessions.end_client(client_number(1).fingerprint)

    await client.pump(lambda: client.enet.disconnected and not session.worker.alive)

    assert time.monotonic() - began < 1
    assert client.heard()[-1] == TERMINATION
    assert other.worker.alive


async def test_threat_2_unpairing_stops_a_launch_that_is_under_way(
    make_sessions, launch, client_number, app_on, until, tmp_path
):
    sessions = make_sessions(PATIENT)
    launching = asyncio.create_task(launch(sessions, app=app_on("slow")))
    await until(lambda: list((tmp_path / "journal").glob("*")))

    sessions.end_client(client_number(1).fingerprint)

    async with asyncio.timeout(FAR_LESS_THAN_SLOW_S):
        assert await refusal(launching) == (503, "the launch was called off")
    assert sessions.all() == ()


async def test_a_cancel_stops_a_launch_that_is_under_way(
    make_sessions, launch, client_number, app_on, until, tmp_path
):
    sessions = make_sessions(PATIENT)
    launching = asyncio.create_task(launch(sessions, app=app_on("slow")))
    await until(lambda: list((tmp_path / "journal").glob("*")))

    async with asyncio.timeout(FAR_LESS_THAN_SLOW_S):
        await sessions.stop_client(client_number(1).fingerprint)

    assert await refusal(launching) == (503, "the launch was called off")
    assert (await launch(sessions)).slot == 0


async def test_a_client_that_hangs_up_while_it_launches_leaves_nothing(
    sessions, launch, app_on, until, tmp_path
):
    launching = asyncio.create_task(launch(sessions, app=app_on("slow")))
    await until(lambda: list((tmp_path / "journal").glob("*")))
    launching.cancel()

    with pytest.raises(asyncio.CancelledError):
        await launching

    assert sessions.all() == ()
    assert (await launch(sessions)).slot == 0


async def test_a_client_gets_what_the_configuration_says_of_it(
    make_sessions, launch, client_number, tmp_path
):
    first = client_number(1).fingerprint
    diary = tmp_path / "diary"
    only_h264 = OverrideSettings(client=first, max_fps=30, codecs=("h264",))
    note = PrepSettings(client=first, do=("touch", str(diary)), undo=("rm", str(diary)))
    sessions = make_sessions(override=(only_h264,), prep=(note,))
    other = await launch(sessions, 2)
    assert other.owner.handshake._limits.max_fps == 240
    assert not diary.exists()

    session = await launch(sessions, 1)

    assert session.owner.handshake._limits.max_fps == 30
    assert session.owner.handshake._limits.codecs == {Codec.H264}
    assert sessions.reception.offered_codecs(first) == {Codec.H264}
    assert diary.exists()
    await sessions.end(session)
    assert not diary.exists()


async def test_what_takes_long_to_take_back_is_taken_back_once(make_sessions, launch, tmp_path):
    diary = tmp_path / "diary"
    slow = PrepSettings(undo=("sh", "-c", 'sleep 3; echo undone >> "$0"', str(diary)))
    limits = WorkerLimits(quit_s=1, silence_s=1.5)
    sessions = make_sessions(limits, prep=(slow,))

    await sessions.end(await launch(sessions))
    await asyncio.sleep(3)  # a second one would be done by now

    assert diary.read_text() == "undone\n"


async def test_a_picture_that_is_too_large_is_refused_before_anything_starts(
    make_sessions, launch, client_number, tmp_path
):
    small = OverrideSettings(client=client_number(1).fingerprint, max_width=300)
    sessions = make_sessions(override=(small,))

    assert await refusal(launch(sessions, 1)) == (
        403,
        "a picture of 320x180 is too large: this host streams up to 300x4320",
    )
    assert not list((tmp_path / "journal").glob("*"))


async def test_a_display_is_no_faster_than_its_stream_may_be(make_sessions, launch):
    sessions = make_sessions(override=(OverrideSettings(max_fps=30),))

    assert (await launch(sessions)).plan.mode.refresh_mhz == 30_000


async def test_the_end_of_a_session_has_a_reason(sessions, launch):
    ended = []
    sessions.on_ended = lambda session, cause: ended.append((session.end_reason, cause))

    await sessions.end(await launch(sessions))

    assert ended == [(StreamEnd.STOPPED, "")]


async def test_closing_ends_what_runs_and_what_starts(
    make_sessions, launch, app_on, until, tmp_path
):
    sessions = make_sessions(PATIENT)
    running = await launch(sessions, 1)
    launching = asyncio.create_task(launch(sessions, 2, app=app_on("slow")))
    await until(lambda: len(list((tmp_path / "journal").glob("*"))) == 2)

    async with asyncio.timeout(FAR_LESS_THAN_SLOW_S):
        await sessions.close()

    assert not running.worker.alive
    assert await refusal(launching) == (503, "the launch was called off")
    assert await refusal(launch(sessions, 3)) == (503, "this host is shutting down")


async def test_a_session_can_be_ended_twice_at_once(sessions, launch):
    session = await launch(sessions)

    await asyncio.gather(*(sessions.end(session) for _ in range(3)))
    await sessions.end(session)

    assert sessions.all() == ()


async def test_ending_a_session_while_its_stream_starts_ends_both(
    sessions, launch, converse, base_port
):
    session = await launch(sessions)
    handshake = session.owner.handshake
    talking = asyncio.create_task(converse(handshake))
    while session.owner.stream is None:
        await asyncio.sleep(0)

    async with asyncio.timeout(5):
        await sessions.end(session)
        await talking

    assert sessions.all() == ()


async def test_a_crashed_worker_frees_its_slot_and_is_reported(
    sessions, launch, app_on, until, programs_of
):
    ended = []
    sessions.on_ended = lambda session, cause: ended.append((session.id, cause))
    session = await launch(sessions, app=app_on("steady"))
    assert programs_of(session)

    os.kill(session.worker.pid, signal.SIGKILL)

    await until(lambda: sessions.all() == ())
    assert ended == [(session.id, "the session's worker was ended by SIGKILL")]
    assert programs_of(session) == []
    assert (await launch(sessions)).slot == 0


async def test_a_hanging_worker_ends_its_session_with_that_reason(make_sessions, launch, until):
    sessions = make_sessions(limits=WorkerLimits(silence_s=1.2))
    ended = []
    sessions.on_ended = lambda session, cause: ended.append(cause)
    session = await launch(sessions)
    os.kill(session.worker.pid, signal.SIGSTOP)

    await until(lambda: sessions.all() == ())

    assert ended == ["the session's worker hung: no sign of life for 1.2 s"]


async def test_a_display_that_dies_ends_its_session_and_no_other(
    sessions, launch, app_on, play, base_port
):
    ended = []
    sessions.on_ended = lambda session, cause: ended.append((session.id, cause))
    doomed = await launch(sessions, 1, app=app_on("steady"))
    other = await launch(sessions, 2)
    client = await play(doomed, Ports(base_port))
    witness = await play(other, Ports(base_port))
    (Path(doomed.plan.runtime_root) / doomed.plan.seat / "die").touch()

    await client.pump(lambda: client.enet.disconnected and len(sessions.all()) == 1)
    seen = witness.video_packets
    await witness.pump(lambda: witness.video_packets > seen + 10)

    assert client.heard()[-1] == TERMINATION
    lost = "the display was lost 3 times within a minute: the display is gone"
    assert ended == [(doomed.id, lost)]
    assert not witness.enet.disconnected
    assert other.owner.connected


async def test_house_keeping_that_fails_does_not_keep_a_slot(
    sessions, launch, until, monkeypatch, caplog
):
    session = await launch(sessions)

    async def fail(journal):
        raise OSError("no more processes")

    monkeypatch.setattr(sessions._cleaner, "clean", fail)
    await sessions.end(session)

    assert sessions.all() == ()
    await until(lambda: "no more processes" in caplog.text)
