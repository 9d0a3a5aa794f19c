"""The host's side of a worker, with real worker processes."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import attrs
import pytest

from punktfunk.errors import DriverFailed, DriverUnavailable
from punktfunk.model.session import StreamEnd
from punktfunk.session.messages import Connected, StreamEnded
from punktfunk.session.pool import WorkerPool
from punktfunk.session.supervisor import Worker, WorkerLimits

pytestmark = pytest.mark.usefixtures("install_faulty")


def left_of(plan) -> list[str]:
    """Folders and journals of a session that are still there."""
    root = Path(plan.runtime_root)
    return [str(path) for path in (root / plan.seat, Path(plan.journal)) if path.exists()]


async def test_a_session_comes_up_and_goes_without_leaving_anything(
    spawn, make_plan, processes_of, app_of
):
    worker, plan = await spawn(), make_plan(compositor="steady")
    prepared = await worker.prepare(plan)
    assert prepared.mode == plan.mode
    assert app_of(plan)

    await worker.quit(StreamEnd.STOPPED)

    assert await worker.wait() == ""
    assert processes_of(plan) == []
    assert left_of(plan) == []


async def test_a_driver_that_cannot_run_here_is_named_with_reason_and_hint(spawn, make_plan):
    worker = await spawn()
    plan = make_plan(compositor="unavailable")

    with pytest.raises(DriverUnavailable) as caught:
        await worker.prepare(plan)

    assert caught.value.driver == "unavailable"
    assert caught.value.reason == "no such card"
    assert caught.value.hint == "insert a card"
    assert caught.value.available == ("steady",)
    assert left_of(plan) == []


@pytest.mark.parametrize(
    ("compositor", "error", "words"),
    [
        ("failing", DriverFailed, "it started and failed"),
        ("raising", DriverFailed, "LookupError: nobody thought of this"),
        ("no-such-driver", DriverUnavailable, "no compositor driver of that name"),
        ("dying", DriverFailed, "worker ended with status 3"),
    ],
)
async def test_a_session_that_does_not_come_up_leaves_nothing(
    spawn, make_plan, processes_of, compositor, error, words
):
    worker, plan = await spawn(), make_plan(compositor=compositor)

    with pytest.raises(error, match=words):
        await worker.prepare(plan)
    await worker.quit(StreamEnd.FAILED)

    assert processes_of(plan) == []
    assert left_of(plan) == []


async def test_a_worker_keeps_no_port_of_a_stream_that_is_over(
    spawn, make_plan, make_stream, until
):
    worker = await spawn()
    await worker.prepare(make_plan())
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
    for sock in sockets:
        sock.bind(("127.0.0.1", 0))
    ports = [sock.getsockname()[1] for sock in sockets]
    ended = []
    worker.on_message = lambda message: ended.append(isinstance(message, StreamEnded))
    await worker.start_stream(make_stream(), sockets)
    for sock in sockets:
        sock.close()

    worker.stop_stream(1, StreamEnd.STOPPED)
    await until(lambda: any(ended))

    for port in ports:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
            again.bind(("127.0.0.1", port))


async def test_a_second_session_is_refused_and_the_first_lives_on(
    spawn, make_plan, make_stream, media
):
    worker = await spawn()
    await worker.prepare(make_plan())

    with pytest.raises(DriverFailed, match="serves one session"):
        await worker.prepare(make_plan())

    assert (await worker.start_stream(make_stream(), media)).encoder == "software"


async def test_a_stream_before_its_session_is_refused_and_the_worker_lives_on(
    spawn, make_plan, make_stream, media
):
    worker = await spawn()

    with pytest.raises(DriverFailed, match="needs a session that is up"):
        await worker.start_stream(make_stream(), media)

    await worker.prepare(make_plan())


async def test_the_second_encoder_is_tried_when_the_first_will_not_open(
    spawn, make_plan, make_stream, media
):
    worker = await spawn()
    await worker.prepare(make_plan(encoders=("refusing", "software")))

    assert (await worker.start_stream(make_stream(), media)).encoder == "software"


async def test_the_second_encoder_is_tried_when_the_first_is_not_installed(
    spawn, make_plan, make_stream, media
):
    worker = await spawn()
    await worker.prepare(make_plan(encoders=("no-such-driver", "software")))

    assert (await worker.start_stream(make_stream(), media)).encoder == "software"


async def test_a_third_encoder_is_not_tried_and_the_session_outlives_the_stream(
    spawn, make_plan, make_stream, media
):
    worker = await spawn()
    await worker.prepare(make_plan(encoders=("refusing", "refusing", "software")))

    with pytest.raises(DriverUnavailable, match="the chip is taken"):
        await worker.start_stream(make_stream(), media)

    await asyncio.sleep(0)
    assert worker.alive
    worker.stop_stream(1, StreamEnd.STOPPED)


async def test_two_starts_at_once_each_get_their_own_answer(spawn, make_plan, make_stream, media):
    worker = await spawn()
    await worker.prepare(make_plan())
    ended = []
    worker.on_message = lambda message: (
        ended.append(message) if isinstance(message, StreamEnded) else None
    )

    started = await asyncio.gather(*(worker.start_stream(make_stream(n), media) for n in (1, 2)))

    assert [it.stream_id for it in started] == [1, 2]
    assert ended == [StreamEnded(1, StreamEnd.REPLACED)]


async def test_the_answer_to_a_start_nobody_waits_for_is_not_taken_for_another(
    spawn, make_plan, make_stream, media
):
    worker = await spawn()
    await worker.prepare(make_plan(encoders=("refusing",)))
    given_up = asyncio.create_task(worker.start_stream(make_stream(1), media))
    await asyncio.sleep(0)
    given_up.cancel()

    with pytest.raises(DriverUnavailable):
        await worker.start_stream(make_stream(2), media)

    assert given_up.cancelled()
    assert worker.alive


async def test_a_client_is_streamed_to_and_told_before_the_end(
    spawn, make_plan, make_stream, media, make_client, until
):
    worker, stream = await spawn(), make_stream()
    messages = []
    await worker.prepare(make_plan())
    worker.on_message = messages.append
    await worker.start_stream(stream, media)
    client = make_client(stream, media)
    await client.connect()
    await client.pump(lambda: Connected(1) in messages)

    worker.stop_stream(1, StreamEnd.STOPPED)
    await client.pump(lambda: client.enet.disconnected)

    assert client.heard()[-1] == 0x0109
    await client.pump(lambda: StreamEnded(1, StreamEnd.STOPPED) in messages)


async def test_control_first_and_ping_later_is_a_connection_too(
    spawn, make_plan, make_stream, media, make_client, until
):
    worker, stream = await spawn(), make_stream()
    messages = []
    await worker.prepare(make_plan())
    worker.on_message = messages.append
    await worker.start_stream(stream, media)
    client = make_client(stream, media)
    client.plan = attrs.evolve(stream, ping_payload=bytes(16))  # pings that prove nothing
    client.enet.connect()
    await client.pump(lambda: client.enet.connected)
    client.say(bytes.fromhex("020302000000"))
    await client.pump(lambda: client.enet.idle)
    assert Connected(1) not in messages
    client.plan = stream

    await client.pump(lambda: client.video_packets)

    await client.pump(lambda: Connected(1) in messages)


async def test_a_killed_worker_is_noticed_with_its_cause(spawn, make_plan):
    worker = await spawn()
    await worker.prepare(make_plan())
    os.kill(worker.pid, signal.SIGKILL)

    assert await worker.wait() == "the session's worker was ended by SIGKILL"
    await worker.quit(StreamEnd.STOPPED)  # of a worker that is dead already


async def test_a_worker_killed_while_it_is_asked_answers_with_its_end(
    spawn, make_plan, until, processes_of
):
    worker, plan = await spawn(), make_plan(compositor="slow")
    preparing = asyncio.create_task(worker.prepare(plan))
    await until(lambda: processes_of(plan))
    worker.kill()

    with pytest.raises(DriverFailed, match="SIGKILL"):
        await preparing
    with pytest.raises(DriverFailed, match="SIGKILL"):
        await worker.prepare(plan)
    for pid in processes_of(plan):
        os.kill(pid, signal.SIGKILL)


async def test_a_worker_that_hangs_is_killed_after_the_silence_limit(spawn, make_plan):
    worker = await spawn(silence_s=1.5)
    await worker.prepare(make_plan())
    os.kill(worker.pid, signal.SIGSTOP)

    async with asyncio.timeout(5):
        assert "no sign of life for 1.5 s" in await worker.wait()


async def test_a_worker_that_lives_is_not_taken_for_one_that_hangs(spawn, make_plan):
    worker = await spawn(silence_s=1.5)
    await worker.prepare(make_plan())

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2.5):
            await worker.wait()


async def test_a_session_that_takes_too_long_to_come_up_is_given_up(
    spawn, make_plan, processes_of, until
):
    worker, plan = await spawn(prepare_s=0.5), make_plan(compositor="slow")

    with pytest.raises(DriverFailed, match="took too long to bring the session up"):
        await worker.prepare(plan)

    assert "took too long" in await worker.wait()
    for pid in processes_of(plan):
        os.kill(pid, signal.SIGKILL)


async def test_quitting_does_not_wait_for_a_driver_that_is_slow_to_open(
    spawn, make_plan, processes_of, until
):
    worker, plan = await spawn(), make_plan(compositor="slow")
    preparing = asyncio.create_task(worker.prepare(plan))
    await until(lambda: processes_of(plan))
    preparing.cancel()

    async with asyncio.timeout(3):
        await worker.quit(StreamEnd.STOPPED)

    assert await worker.wait() == ""
    assert processes_of(plan) == []
    assert left_of(plan) == []


async def test_a_worker_that_will_not_quit_is_killed(spawn):
    worker = await spawn(quit_s=0.3)
    os.kill(worker.pid, signal.SIGSTOP)

    await worker.quit(StreamEnd.STOPPED)

    assert "SIGKILL" in await worker.wait()


async def test_a_display_that_always_dies_ends_the_session_with_its_reason(
    spawn, make_plan, make_stream, media, make_client
):
    worker, plan, stream = await spawn(), make_plan(compositor="steady"), make_stream()
    await worker.prepare(plan)
    ends = []
    worker.on_message = lambda message: (
        ends.append(message) if isinstance(message, StreamEnded) else None
    )
    await worker.start_stream(stream, media)
    client = make_client(stream, media)
    await client.connect()
    (Path(plan.runtime_root) / plan.seat / "die").touch()

    await client.pump(lambda: client.enet.disconnected, timeout_s=40)

    reason = "the display was lost 3 times within a minute: the display is gone"
    assert client.heard()[-1] == 0x0109
    assert await worker.wait() == reason
    assert ends == [StreamEnded(1, StreamEnd.FAILED, reason)]
    assert left_of(plan) == []


async def test_a_capture_that_always_dies_ends_the_session_with_its_reason(
    spawn, make_plan, make_stream, media, make_client
):
    worker, plan, stream = await spawn(), make_plan(capture="broken"), make_stream()
    await worker.prepare(plan)
    await worker.start_stream(stream, media)
    client = make_client(stream, media)
    client.enet.connect()
    client.say(bytes.fromhex("020302000000"))

    await client.pump(lambda: not worker.alive, timeout_s=40)

    assert "3 times within a minute: no picture will ever come" in await worker.wait()


async def test_an_input_driver_that_always_raises_ends_the_session_and_not_the_cleaning_up(
    spawn, make_plan, make_stream, media, make_client, processes_of
):
    worker, stream = await spawn(), make_stream()
    plan = make_plan(input="clumsy", compositor="steady")
    await worker.prepare(plan)
    await worker.start_stream(stream, media)
    client = make_client(stream, media)
    await client.connect()
    key_down = bytes.fromhex("0000000a03000000004180010000")

    def pressed_in_vain() -> bool:
        client.say(bytes.fromhex("06020e00") + key_down)
        return not worker.alive

    await client.pump(pressed_in_vain, timeout_s=40)

    assert "KeyError: 'unknown event'" in await worker.wait()
    assert processes_of(plan) == []
    assert left_of(plan) == []


async def test_a_warm_spare_is_handed_out_and_not_kept(until):
    pool = WorkerPool(lambda: ("encode:software",))
    pool.refill()
    await until(lambda: pool.spare_pid)
    pid = pool.spare_pid

    worker = await pool.take()

    assert worker.pid == pid
    assert pool.spare_pid is None
    await worker.quit(StreamEnd.STOPPED)
    await pool.close()


async def test_a_spare_that_died_is_replaced(until):
    pool = WorkerPool(lambda: ())
    pool.refill()
    await until(lambda: pool.spare_pid)
    dead = pool.spare_pid
    os.kill(dead, signal.SIGKILL)
    await until(lambda: pool.spare_pid is None)

    pool.refill()
    await until(lambda: pool.spare_pid)
    again = pool.spare_pid
    os.kill(again, signal.SIGKILL)
    await until(lambda: pool.spare_pid is None)
    worker = await pool.take()

    assert worker.alive
    assert len({dead, again, worker.pid}) == 3
    await worker.quit(StreamEnd.STOPPED)
    await pool.close()


async def test_a_spare_that_does_not_come_up_is_not_the_end(until):
    pool = WorkerPool(lambda: (), WorkerLimits(ready_s=0.01))
    pool.refill()

    with pytest.raises(DriverFailed, match="took too long to start"):
        await pool.take()

    await pool.close()


async def test_closing_the_pool_while_the_spare_comes_up_leaves_no_process():
    before = set(children())
    pool = WorkerPool(lambda: ())
    pool.refill()
    await asyncio.sleep(0.1)

    await pool.close()

    assert set(children()) == before


async def test_a_worker_that_prints_without_end_is_read_to_the_end(spawn, make_plan):
    # A full pipe would stop it in the middle of a sentence.
    worker = await spawn()
    with Path(f"/proc/{worker.pid}/fd/2").open("wb", buffering=0) as stderr:
        for _ in range(40):
            await asyncio.to_thread(stderr.write, b"x" * 65_536)
        stderr.write(b"\nlast words\n")
    worker.kill()

    assert (await worker.wait()).endswith("SIGKILL: last words")


def children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


async def test_a_program_that_keeps_the_workers_error_output_open_keeps_nobody_waiting():
    worker = await Worker.spawn()
    kept = os.open(f"/proc/{worker.pid}/fd/2", os.O_WRONLY)
    worker.kill()

    async with asyncio.timeout(5):
        assert "SIGKILL" in await worker.wait()
    os.close(kept)
