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
    spawn, make_plan, media, processes_of, app_of
):
    worker, plan = await spawn(), make_plan(compositor="steady")
    prepared = await worker.prepare(plan, media)
    assert prepared.mode == plan.mode
    assert app_of(plan)

    await worker.quit(StreamEnd.STOPPED)

    assert await worker.wait() == ""
    assert processes_of(plan) == []
    assert left_of(plan) == []


async def test_a_driver_that_cannot_run_here_is_named_with_reason_and_hint(spawn, make_plan, media):
    worker = await spawn()
    plan = make_plan(compositor="unavailable")

    with pytest.raises(DriverUnavailable) as caught:
        await worker.prepare(plan, media)

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
    spawn, make_plan, media, processes_of, compositor, error, words
):
    worker, plan = await spawn(), make_plan(compositor=compositor)

    with pytest.raises(error, match=words):
        await worker.prepare(plan, media)
    await worker.quit(StreamEnd.FAILED)

    assert processes_of(plan) == []
    assert left_of(plan) == []


async def test_a_failed_session_gives_its_ports_back_at_once(spawn, make_plan):
    worker = await spawn()
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
    for sock in sockets:
        sock.bind(("127.0.0.1", 0))
    ports = [sock.getsockname()[1] for sock in sockets]
    with pytest.raises(DriverFailed):
        await worker.prepare(make_plan(compositor="failing"), sockets)
    for sock in sockets:
        sock.close()

    for port in ports:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
            again.bind(("127.0.0.1", port))


async def test_a_second_session_is_refused_and_the_first_lives_on(spawn, make_plan, make_stream):
    worker = await spawn()

    def three():
        return [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]

    first, second = three(), three()
    for sock in first + second:
        sock.bind(("127.0.0.1", 0))
    await worker.prepare(make_plan(), first)

    with pytest.raises(DriverFailed, match="serves one session"):
        await worker.prepare(make_plan(), second)

    assert (await worker.start_stream(make_stream())).encoder == "software"
    for sock in first + second:
        sock.close()


async def test_a_stream_before_its_session_is_refused_and_the_worker_lives_on(
    spawn, make_plan, make_stream, media
):
    worker = await spawn()

    with pytest.raises(DriverFailed, match="the session is not up"):
        await worker.start_stream(make_stream())

    await worker.prepare(make_plan(), media)


async def test_the_second_encoder_is_tried_when_the_first_will_not_open(
    spawn, make_plan, make_stream, media
):
    worker = await spawn()
    await worker.prepare(make_plan(encoders=("refusing", "software")), media)

    assert (await worker.start_stream(make_stream())).encoder == "software"


async def test_the_second_encoder_is_tried_when_the_first_is_not_installed(
    spawn, make_plan, make_stream, media
):
    worker = await spawn()
    await worker.prepare(make_plan(encoders=("no-such-driver", "software")), media)

    assert (await worker.start_stream(make_stream())).encoder == "software"


async def test_a_third_encoder_is_not_tried_and_the_session_outlives_the_stream(
    spawn, make_plan, make_stream, media
):
    worker = await spawn()
    await worker.prepare(make_plan(encoders=("refusing", "refusing", "software")), media)

    with pytest.raises(DriverUnavailable, match="the chip is taken"):
        await worker.start_stream(make_stream())

    await asyncio.sleep(0)
    assert worker.alive
    worker.stop_stream(StreamEnd.STOPPED)


async def test_two_starts_at_once_each_get_their_own_answer(spawn, make_plan, make_stream, media):
    worker = await spawn()
    await worker.prepare(make_plan(), media)
    ended = []
    worker.on_message = lambda message: (
        ended.append(message) if isinstance(message, StreamEnded) else None
    )

    started = await asyncio.gather(*(worker.start_stream(make_stream(n)) for n in (1, 2)))

    assert [it.stream_id for it in started] == [1, 2]
    assert ended == [StreamEnded(1, StreamEnd.REPLACED)]


async def test_the_answer_to_a_start_nobody_waits_for_is_not_taken_for_another(
    spawn, make_plan, make_stream, media
):
    worker = await spawn()
    await worker.prepare(make_plan(encoders=("refusing",)), media)
    given_up = asyncio.create_task(worker.start_stream(make_stream(1)))
    await asyncio.sleep(0)
    given_up.cancel()

    with pytest.raises(DriverUnavailable):
        await worker.start_stream(make_stream(2))

    assert given_up.cancelled()
    assert worker.alive


async def test_a_client_is_streamed_to_and_told_before_the_end(
    spawn, make_plan, make_stream, media, make_client, until
):
    worker, stream = await spawn(), make_stream()
    messages = []
    await worker.prepare(make_plan(), media)
    worker.on_message = messages.append
    await worker.start_stream(stream)
    client = make_client(stream, media)
    await client.connect()
    await client.pump(lambda: Connected(1) in messages)

    worker.stop_stream(StreamEnd.STOPPED)
    await client.pump(lambda: client.enet.disconnected)

    assert client.heard()[-1] == 0x0109
    await client.pump(lambda: StreamEnded(1, StreamEnd.STOPPED) in messages)


async def test_control_first_and_ping_later_is_a_connection_too(
    spawn, make_plan, make_stream, media, make_client, until
):
    worker, stream = await spawn(), make_stream()
    messages = []
    await worker.prepare(make_plan(), media)
    worker.on_message = messages.append
    await worker.start_stream(stream)
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


async def test_a_killed_worker_is_noticed_with_its_cause(spawn, make_plan, media):
    worker = await spawn()
    await worker.prepare(make_plan(), media)
    os.kill(worker.pid, signal.SIGKILL)

    assert await worker.wait() == "the session's worker was ended by SIGKILL"
    await worker.quit(StreamEnd.STOPPED)  # of a worker that is dead already


async def test_a_worker_killed_while_it_is_asked_answers_with_its_end(
    spawn, make_plan, media, until, processes_of
):
    worker, plan = await spawn(), make_plan(compositor="slow")
    preparing = asyncio.create_task(worker.prepare(plan, media))
    await until(lambda: processes_of(plan))
    worker.kill()

    with pytest.raises(DriverFailed, match="SIGKILL"):
        await preparing
    with pytest.raises(DriverFailed, match="SIGKILL"):
        await worker.prepare(plan, media)
    for pid in processes_of(plan):
        os.kill(pid, signal.SIGKILL)


async def test_a_worker_that_hangs_is_killed_after_the_silence_limit(spawn, make_plan, media):
    worker = await spawn(silence_s=1.5)
    await worker.prepare(make_plan(), media)
    os.kill(worker.pid, signal.SIGSTOP)

    async with asyncio.timeout(5):
        assert "no sign of life for 1.5 s" in await worker.wait()


async def test_a_worker_that_lives_is_not_taken_for_one_that_hangs(spawn, make_plan, media):
    worker = await spawn(silence_s=1.5)
    await worker.prepare(make_plan(), media)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2.5):
            await worker.wait()


async def test_a_session_that_takes_too_long_to_come_up_is_given_up(
    spawn, make_plan, media, processes_of, until
):
    worker, plan = await spawn(prepare_s=0.5), make_plan(compositor="slow")

    with pytest.raises(DriverFailed, match="took too long to bring the session up"):
        await worker.prepare(plan, media)

    assert "took too long" in await worker.wait()
    for pid in processes_of(plan):
        os.kill(pid, signal.SIGKILL)


async def test_quitting_does_not_wait_for_a_driver_that_is_slow_to_open(
    spawn, make_plan, media, processes_of, until
):
    worker, plan = await spawn(), make_plan(compositor="slow")
    preparing = asyncio.create_task(worker.prepare(plan, media))
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


async def test_a_display_that_dies_ends_the_session_with_its_reason(
    spawn, make_plan, make_stream, media, make_client
):
    worker, plan, stream = await spawn(), make_plan(compositor="steady"), make_stream()
    await worker.prepare(plan, media)
    ends = []
    worker.on_message = lambda message: (
        ends.append(message) if isinstance(message, StreamEnded) else None
    )
    await worker.start_stream(stream)
    client = make_client(stream, media)
    await client.connect()
    (Path(plan.runtime_root) / plan.seat / "die").touch()

    await client.pump(lambda: client.enet.disconnected)

    assert client.heard()[-1] == 0x0109
    assert await worker.wait() == "the display is gone"
    assert ends == [StreamEnded(1, StreamEnd.FAILED, "the display is gone")]
    assert left_of(plan) == []


async def test_a_capture_that_dies_ends_the_session_with_its_reason(
    spawn, make_plan, make_stream, media, make_client
):
    worker, plan, stream = await spawn(), make_plan(capture="broken"), make_stream()
    await worker.prepare(plan, media)
    await worker.start_stream(stream)
    client = make_client(stream, media)
    client.enet.connect()
    client.say(bytes.fromhex("020302000000"))

    await client.pump(lambda: not worker.alive)

    assert await worker.wait() == "no picture will ever come again"


async def test_an_input_driver_that_raises_ends_the_session_and_not_the_cleaning_up(
    spawn, make_plan, make_stream, media, make_client, processes_of
):
    worker, stream = await spawn(), make_stream()
    plan = make_plan(input="clumsy", compositor="steady")
    await worker.prepare(plan, media)
    await worker.start_stream(stream)
    client = make_client(stream, media)
    await client.connect()
    key_down = bytes.fromhex("0000000a03000000004180010000")
    client.say(bytes.fromhex("06020e00") + key_down)

    await client.pump(lambda: not worker.alive)

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


async def test_a_worker_that_prints_without_end_is_read_to_the_end(spawn, make_plan, media):
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
