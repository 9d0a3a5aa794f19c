import pickle
from random import Random

import pytest

from punktfunk.gamestream.window import SeenWindow


def accepts(window: SeenWindow, number: int) -> bool:
    if not window.is_new(number):
        return False
    window.add(number)
    return True


@pytest.mark.parametrize("bits", [16, 32])
def test_every_number_is_new_once_across_the_wrap(bits: int) -> None:
    window = SeenWindow(width=64, bits=bits)
    start = (1 << bits) - 500
    numbers = [(start + number) % (1 << bits) for number in range(1_000)]
    shuffled = [n for i in range(0, 1_000, 50) for n in Random(i).sample(numbers[i : i + 50], 50)]

    assert all(accepts(window, number) for number in shuffled)
    assert not any(accepts(window, number) for number in shuffled[-64:])


def test_numbers_behind_the_window_count_as_seen() -> None:
    window = SeenWindow(width=64, bits=16)
    window.add(1_000)

    assert window.is_new(1_000 - 63)
    assert not window.is_new(1_000 - 64)


def test_memory_does_not_grow_with_use_nor_with_jumps() -> None:
    window = SeenWindow(width=64, bits=32)

    accepts(window, 0)
    for number in range(0x7000_0000, 0x7000_0000 + 20_000, 3):
        accepts(window, number)

    assert len(pickle.dumps(window)) < 500
