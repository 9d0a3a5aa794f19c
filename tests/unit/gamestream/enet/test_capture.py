"""Datagrams between the real client library and another ENet host, byte for byte."""

import json
from pathlib import Path

import attrs
import pytest

from punktfunk.gamestream.control import ControlChannel, Scheme
from punktfunk.gamestream.enet import (
    Connected,
    Disconnected,
    DisconnectReason,
    EnetHost,
    Event,
    Received,
)
from punktfunk.gamestream.enet.wire import (
    Command,
    Datagram,
    Number,
    command_bytes,
    header_bytes,
    parse_datagram,
)

CAPTURE = json.loads(
    (Path(__file__).parents[3] / "vectors/gamestream/enet_capture.json").read_text()
)
DATAGRAMS = CAPTURE["datagrams"]
CLIENT = ("127.0.0.1", 40_000)
MS = 1_000_000
NAMES = {"ACK": "ACKNOWLEDGE"}


@attrs.frozen
class Replay:
    events: list[Event]
    answers: list[Datagram]
    raw_answers: list[bytes]


@pytest.fixture(scope="module")
def replay() -> Replay:
    """Feed the client's datagrams to our host at the times of the capture."""
    host = EnetHost(lambda data, address: data == 0xDEADBEEF)
    events: list[Event] = []
    raw: list[bytes] = []
    # The host's clock of the capture, so that the client's echoes make sense.
    offset_ms = 39_740 - 597
    for line in DATAGRAMS:
        if line["dir"] == "C>H":
            now_ns = (line["ms"] + offset_ms) * MS
            events += host.poll(now_ns)
            events += host.receive(bytes.fromhex(line["bytes"]), CLIENT, now_ns)
            raw += [data for data, address in host.datagrams_to_send(now_ns)]
    answers = [parse_datagram(data) for data in raw]
    return Replay(events, [answer for answer in answers if answer is not None], raw)


@pytest.mark.parametrize("line", DATAGRAMS, ids=lambda line: f"{line['dir']}@{line['ms']}")
def test_every_captured_datagram_reads_as_its_decoding_says(line: dict) -> None:
    expected = line["decoded"]

    parsed = parse_datagram(bytes.fromhex(line["bytes"]))

    assert parsed is not None
    assert not parsed.malformed
    assert (parsed.peer_id, parsed.session) == (expected["peer_id"], expected["session"])
    assert parsed.sent_time_ms == expected.get("sent_time")
    assert len(parsed.commands) == len(expected["commands"])
    for command, wanted in zip(parsed.commands, expected["commands"], strict=True):
        assert command.number is Number[NAMES.get(wanted["cmd"], wanted["cmd"])]
        assert (command.channel, command.sequence) == (wanted["channel"], wanted["seq"])
        assert command.wants_ack == bool(wanted["flags"] & 2)
        assert command.unsequenced == bool(wanted["flags"] & 1)
        assert len(command.data) == wanted.get("data_len", 0)


@pytest.mark.parametrize("line", DATAGRAMS, ids=lambda line: f"{line['dir']}@{line['ms']}")
def test_every_captured_datagram_is_written_back_the_same(line: dict) -> None:
    data = bytes.fromhex(line["bytes"])
    parsed = parse_datagram(data)
    assert parsed is not None

    header = header_bytes(parsed.peer_id, parsed.session, parsed.sent_time_ms)
    written = header + b"".join(map(command_bytes, parsed.commands))

    assert written == data


def test_our_answer_to_connect_is_the_captured_one_but_for_the_clock(replay: Replay) -> None:
    captured = bytes.fromhex(DATAGRAMS[1]["bytes"])

    ours = replay.raw_answers[0]

    assert ours[:2] == captured[:2]
    assert ours[4:] == captured[4:]


def test_the_client_connects_once_with_its_data_and_says_goodbye(replay: Replay) -> None:
    assert replay.events[0] == Connected(peer=1, connect_data=0xDEADBEEF, address=CLIENT)
    assert replay.events[-1] == Disconnected(peer=1, reason=DisconnectReason.BY_PEER)
    assert sum(isinstance(event, Received) for event in replay.events) == len(replay.events) - 2


def test_acknowledgements_are_the_captured_ones(replay: Replay) -> None:
    def acks(datagrams: list[Datagram]) -> set[Command]:
        return {
            command
            for datagram in datagrams
            for command in datagram.commands
            if command.number is Number.ACKNOWLEDGE
        }

    captured = acks(
        [
            parsed
            for line in DATAGRAMS
            if line["dir"] == "H>C" and (parsed := parse_datagram(bytes.fromhex(line["bytes"])))
        ]
    )

    # The capture shows each repeated message once, but misses the answers to some.
    assert captured <= acks(replay.answers)


def test_what_was_received_opens_and_means_something(replay: Replay) -> None:
    channel = ControlChannel(bytes.fromhex(CAPTURE["key"]), Scheme.V2)

    messages = [
        channel.receive(event.data) for event in replay.events if isinstance(event, Received)
    ]

    assert messages
    assert None not in messages
    assert channel.counters.accepted == len(messages)


def test_answers_fit_the_client(replay: Replay) -> None:
    assert all(len(data) <= 900 for data in replay.raw_answers)
    assert all(len(answer.commands) <= 32 for answer in replay.answers)
