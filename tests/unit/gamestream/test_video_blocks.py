import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from punktfunk.gamestream.video import MAX_DATA_PACKETS, plan_blocks

VECTORS = Path(__file__).parents[2] / "vectors" / "gamestream" / "video_packets.json"
SPLITS = json.loads(VECTORS.read_text())["block_split"]
UNPROTECTED = (849,)
"""The vector sends these without parity; we lower the percentage instead."""


@pytest.mark.parametrize(
    "case",
    [case for case in SPLITS if case["data_packets_in_frame"] not in UNPROTECTED],
    ids=lambda c: f"{c['data_packets_in_frame']}@{c['fec_percent_setting']}",
)
def test_frames_are_cut_as_in_the_vectors(case):
    blocks = plan_blocks(case["data_packets_in_frame"], case["fec_percent_setting"])

    assert [block.data_shards for block in blocks] == case["blocks"]
    assert [block.parity_shards for block in blocks] == case["parity_per_block"]
    assert {block.fec_percent for block in blocks} == {case["percent_used"]}


def test_a_frame_too_large_for_four_blocks_gets_less_parity_not_none():
    blocks = plan_blocks(849, 20)

    assert [block.data_shards for block in blocks] == [213, 213, 213, 210]
    assert [block.parity_shards for block in blocks] == [41, 41, 41, 40]
    assert {block.fec_percent for block in blocks} == {19}


def test_the_largest_frame_has_no_parity_and_one_more_packet_cannot_be_sent():
    largest = plan_blocks(MAX_DATA_PACKETS, 20, 2)

    assert [(block.data_shards, block.parity_shards) for block in largest] == [(1_023, 0)] * 4
    assert plan_blocks(MAX_DATA_PACKETS + 1, 20, 2) is None


@pytest.mark.parametrize(
    ("data", "minimum", "percent", "parity"),
    [
        (1, 2, 200, 2),
        (4, 2, 50, 2),
        (5, 2, 40, 2),
        (6, 2, 20, 2),
        (1, 3, 255, 3),  # 300 % cannot be written; 255 % still gives three
        (1, 9, 255, 3),
        (102, 52, 51, 53),  # 52 cannot be said in whole per cent
        (200, 255, 27, 54),  # 255 shards are the end
    ],
)
def test_the_minimum_parity_is_kept_as_far_as_the_header_can_say(data, minimum, percent, parity):
    (block,) = plan_blocks(data, 20, minimum)

    assert (block.fec_percent, block.parity_shards) == (percent, parity)


def test_without_parity_the_minimum_means_nothing():
    (block,) = plan_blocks(3, 0, 2)

    assert (block.fec_percent, block.parity_shards) == (0, 0)


@given(st.integers(1, MAX_DATA_PACKETS), st.integers(0, 255), st.integers(0, 255))
def test_every_plan_is_one_a_client_can_follow(data_packets, percent, minimum):
    blocks = plan_blocks(data_packets, percent, minimum)

    sizes = [block.data_shards for block in blocks]
    assert 1 <= len(blocks) <= 4
    assert sum(sizes) == data_packets
    assert all(size == sizes[0] for size in sizes[:-1])
    assert 0 < sizes[-1] <= sizes[0] <= 1_023
    packet = data = 0
    for block in blocks:
        assert (block.first_packet, block.first_data) == (packet, data)
        assert 0 <= block.fec_percent <= 255
        assert block.parity_shards == (block.data_shards * block.fec_percent + 99) // 100
        assert block.packets <= 255 or not block.parity_shards
        packet, data = packet + block.packets, data + block.data_shards


@given(st.integers(1, 1_020), st.integers(1, 255))
def test_up_to_1020_packets_the_percentage_is_the_highest_that_fits(data_packets, percent):
    used = plan_blocks(data_packets, percent)[0].fec_percent

    higher = used + 1
    assert used == percent or -(-data_packets // (25_500 // (100 + higher))) > 4
