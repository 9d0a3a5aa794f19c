import pytest
from hypothesis import given
from hypothesis import strategies as st

from punktfunk.session.pacing import (
    BURST_PACKETS,
    MAX_CALL_BYTES,
    MAX_SEGMENTS,
    MIN_GAP_NS,
    MOST_GROUPS,
    plan_groups,
)

FRAME_60_NS = 16_666_666


@given(
    st.integers(1, 5_000),
    st.integers(80, 1_472),
    st.integers(0, 50_000_000),
    st.integers(1_000_000, 1_000_000_000),
)
def test_every_packet_leaves_once_in_order_and_in_time(packets, size, interval_ns, peak):
    groups = plan_groups(packets, size, interval_ns, peak)

    assert [group.first for group in groups] == [
        sum(group.packets for group in groups[:place]) for place in range(len(groups))
    ]
    assert sum(group.packets for group in groups) == packets
    assert all(0 < group.packets <= MAX_SEGMENTS for group in groups)
    assert all(group.packets * size <= MAX_CALL_BYTES for group in groups)
    dues = [group.due_ns for group in groups]
    assert dues == sorted(dues)
    assert dues[0] == 0
    assert dues[-1] <= interval_ns * 80 // 100


@pytest.mark.parametrize("packets", [1, 7, BURST_PACKETS])
def test_a_small_frame_leaves_at_once_in_one_call(packets):
    (group,) = plan_groups(packets, 1_440, FRAME_60_NS)

    assert (group.packets, group.due_ns) == (packets, 0)


def test_a_larger_frame_does_not_wait_longer_than_the_link_needs():
    groups = plan_groups(80, 1_440, FRAME_60_NS)

    assert {group.packets for group in groups[:-1]} == {16}
    assert groups[1].due_ns == 16 * 1_440 * 8 * 2  # nanoseconds at half a gigabit a second
    assert groups[-1].due_ns < FRAME_60_NS // 4


def test_a_huge_frame_takes_larger_groups_instead_of_more_and_shorter_sleeps():
    groups = plan_groups(200, 1_440, FRAME_60_NS)

    assert len(groups) <= MOST_GROUPS
    assert groups[0].packets > 16
    assert groups[1].due_ns >= MIN_GAP_NS


def test_a_slower_link_gets_a_slower_pace():
    fast = plan_groups(80, 1_440, FRAME_60_NS)
    slow = plan_groups(80, 1_440, FRAME_60_NS, 100_000_000)

    assert slow[1].due_ns == 5 * fast[1].due_ns


def test_without_an_interval_everything_leaves_now():
    assert {group.due_ns for group in plan_groups(900, 1_440, 0)} == {0}
