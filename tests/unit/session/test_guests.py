"""Two clients in one real worker: what goes wrong for a guest, and what it costs the owner."""

import asyncio
import json
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from punktfunk.model.session import DriverRef, StreamEnd
from punktfunk.model.video import ColorSpec
from punktfunk.session.messages import StreamEnded

pytestmark = pytest.mark.usefixtures("install_faulty")

_PACKETS = json.loads(
    (Path(__file__).parents[2] / "vectors/gamestream/input_packets.json").read_text()
)["packets"]
KEY_DOWN = bytes.fromhex(next(it["bytes"] for it in _PACKETS if it["kind"] == "key down"))
FULL_RANGE = ColorSpec(full_range=True)
LONG_S = 30.0


@pytest.fixture
def more_media() -> Iterator[tuple[socket.socket, ...]]:
    """A second client's sockets."""
    sockets = tuple(socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3))
    for sock in sockets:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
    yield sockets
    for sock in sockets:
        sock.close()


@pytest.fixture
def two_streams(make_stream):
    """The owner's, and one of a guest whose encoder is a second one and breaks."""
    owner = make_stream(1)
    guest = attrs.evolve(make_stream(2, color=FULL_RANGE), place=1, guest=True)
    return owner, guest


@pytest.mark.parametrize("guest_first", [True, False])
async def test_a_guests_broken_encoder_ends_its_own_stream_only(
    spawn, make_plan, make_client, two_streams, media, more_media, guest_first
):
    worker, told = await spawn(), []
    worker.on_message = told.append
    owner, guest = two_streams
    await worker.prepare(make_plan(encoders=("brittle",)))
    starts = [(owner, media), (guest, more_media)]
    for stream, sockets in reversed(starts) if guest_first else starts:
        await worker.start_stream(stream, sockets)
    clients = [make_client(*each) for each in starts]
    playing = asyncio.gather(*(client.connect() for client in clients))

    await clients[0].pump(lambda: any(isinstance(it, StreamEnded) for it in told), LONG_S)
    await playing
    before = clients[0].video_packets
    await clients[0].pump(lambda: clients[0].video_packets > before + 20, LONG_S)

    ended = [it for it in told if isinstance(it, StreamEnded)]
    assert ended == [StreamEnded(2, StreamEnd.FAILED, "the chip is tired")]
    assert worker.alive


async def test_a_guest_that_was_alone_comes_again_after_its_encoder_broke(
    spawn, make_plan, make_client, make_stream, two_streams, media
):
    worker, told = await spawn(), []
    worker.on_message = told.append
    await worker.prepare(make_plan(encoders=("brittle",)))
    _, guest = two_streams
    await worker.start_stream(guest, media)
    client = make_client(guest, media)
    client.enet.connect()
    await client.pump(lambda: any(isinstance(it, StreamEnded) for it in told), LONG_S)

    again = attrs.evolve(make_stream(3), place=1, guest=True)
    await worker.start_stream(again, media)
    await make_client(again, media).connect()

    assert worker.alive


async def test_an_owners_broken_encoder_ends_the_session_with_its_reason(
    spawn, make_plan, make_client, make_stream, media
):
    worker = await spawn()
    await worker.prepare(make_plan(encoders=("brittle",)))
    stream = make_stream(color=FULL_RANGE)
    await worker.start_stream(stream, media)
    client = make_client(stream, media)
    client.enet.connect()

    await client.pump(lambda: not worker.alive, LONG_S)

    assert await worker.wait() == "the chip is tired"


async def test_the_owner_plays_on_while_a_guests_encoder_opens(
    spawn, make_plan, make_client, two_streams, media, more_media, tmp_path, until
):
    worker = await spawn()
    owner, guest = two_streams
    gate, notes = tmp_path / "gate", tmp_path / "notes"
    plan = attrs.evolve(
        make_plan(),
        encoders=(DriverRef(name="brittle", settings={"gate": str(gate)}),),
        input=DriverRef(name="noting", settings={"notes": str(notes)}),
    )
    await worker.prepare(plan)
    await worker.start_stream(owner, media)
    client = make_client(owner, media)
    await client.connect()

    joining = asyncio.create_task(worker.start_stream(guest, more_media))
    await until((tmp_path / "waiting").exists)
    client.say(struct.pack("<HH", 0x0206, len(KEY_DOWN)) + KEY_DOWN)
    await client.pump(notes.exists, LONG_S)
    assert not joining.done()
    gate.touch()
    await joining

    assert "KeyEvent" in notes.read_text()
