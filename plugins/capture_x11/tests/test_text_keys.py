import pytest
from hypothesis import given
from hypothesis import strategies as st
from punktfunk_capture_x11.text_keys import TextKeys, keysym_of


@pytest.mark.parametrize(
    ("character", "keysym"),
    [("a", 0x61), ("é", 0xE9), ("€", 0x0100_20AC), ("🙂", 0x0101_F642), ("\n", 0xFF0D)],
)
def test_a_character_has_xs_number(character, keysym) -> None:
    assert keysym_of(character) == keysym


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x80", "\ud800"])
def test_what_no_key_makes_has_none(character) -> None:
    assert keysym_of(character) is None


def test_a_character_keeps_its_key() -> None:
    keys = TextKeys([200, 201])

    first, new = keys.use(0x61)
    again = keys.use(0x61)

    assert new
    assert again == (first, False)


def test_the_key_that_was_used_longest_ago_is_taken() -> None:
    keys = TextKeys([200, 201])
    code_a, _ = keys.use(0x61)
    keys.use(0x62)

    code_c, new = keys.use(0x63)

    assert new
    assert code_c == code_a


def test_no_spare_key_at_all_is_an_error() -> None:
    with pytest.raises(LookupError):
        TextKeys([]).use(0x61)


@given(st.lists(st.integers(1, 40), max_size=200), st.integers(1, 12))
def test_a_key_means_what_was_last_said_of_it(keysyms, count) -> None:
    keys, meanings = TextKeys(range(100, 100 + count)), {}

    for keysym in keysyms:
        code, new = keys.use(keysym)
        if new:
            meanings[code] = keysym
        assert meanings[code] == keysym
        assert 100 <= code < 100 + count
