"""Which motor turns when. Times in milliseconds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from punktfunk_gamepad_uinput.effects import Effects
from punktfunk_gamepad_uinput.uinput import Effect

MS = 1_000_000
OFF = (0, 0)


def effect(number: int = 0, **changes: int) -> Effect:
    values = {"strong": 0x8000, "weak": 0x4000, "length_ms": 100, "delay_ms": 0, **changes}
    return Effect(id=number, **values)


def playing(*effects: Effect, times: int = 1) -> Effects:
    effects_ = Effects()
    for it in effects:
        effects_.upload(it)
        effects_.play(it.id, times, 0)
    return effects_


def test_an_effect_lasts_as_long_as_it_says() -> None:
    it = playing(effect())

    assert it.strengths(0) == (0x8000, 0x4000)
    assert it.strengths(99 * MS) == (0x8000, 0x4000)
    assert it.strengths(100 * MS) == OFF


def test_an_effect_waits_before_each_round() -> None:
    it = playing(effect(delay_ms=50), times=2)

    on = [bool(it.strengths(at * MS)[0]) for at in (0, 49, 50, 149, 150, 199, 200, 299, 300)]
    assert on == [False, False, True, True, False, False, True, True, False]


def test_an_effect_without_a_length_lasts_until_it_is_stopped() -> None:
    it = playing(effect(length_ms=0))
    assert it.strengths(10**15) != OFF

    it.play(0, 0, 10**15)

    assert it.strengths(10**15) == OFF


def test_an_erased_effect_is_silent_and_is_not_played_again() -> None:
    it = playing(effect(length_ms=0))

    it.erase(0)
    it.play(0, 1, 0)

    assert it.strengths(1) == OFF


def test_an_effect_that_changes_while_it_plays_is_felt_at_once() -> None:
    it = playing(effect())

    it.upload(effect(strong=1, weak=2))

    assert it.strengths(1) == (1, 2)


def test_two_effects_add_up_to_no_more_than_full() -> None:
    it = playing(effect(0, strong=0xF000, weak=1), effect(1, strong=0xF000, weak=2))

    assert it.strengths(1) == (0xFFFF, 3)


@pytest.mark.parametrize(("gain", "strong"), [(0, 0), (0x7FFF, 0x4000), (0xFFFF, 0x8000), (-1, 0)])
def test_the_gain_holds_for_all(gain: int, strong: int) -> None:
    it = playing(effect())

    it.set_gain(gain)

    assert abs(it.strengths(1)[0] - strong) <= 1


@given(
    length_ms=st.integers(0, 300),
    delay_ms=st.integers(0, 300),
    times=st.integers(1, 5),
    now_ms=st.integers(0, 3_500),
)
def test_nothing_changes_before_it_is_said_to(length_ms, delay_ms, times, now_ms) -> None:
    it = playing(effect(length_ms=length_ms, delay_ms=delay_ms), times=times)

    change_ns = it.next_change_ns(now_ms * MS)

    until_ns = change_ns if change_ns is not None else now_ms * MS + 4_000 * MS
    assert until_ns > now_ms * MS
    probes = range(now_ms * MS, until_ns, max(MS, (until_ns - now_ms * MS) // 50))
    assert len({it.strengths(at) for at in probes}) == 1
