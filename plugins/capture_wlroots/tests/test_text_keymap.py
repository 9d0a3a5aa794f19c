import ctypes
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from punktfunk_capture_wlroots.text_keymap import FIRST_CODE, LAST_CODE, TextKeymap, can_type


def symbols_of(keymap: TextKeymap, text: str) -> str:
    """What the keys for `text` type, as libxkbcommon reads the keymap."""
    xkb = ctypes.CDLL("libxkbcommon.so.0")
    pointer, number = ctypes.c_void_p, ctypes.c_uint32
    for name, result, arguments in (
        ("xkb_context_new", pointer, [ctypes.c_int]),
        ("xkb_keymap_new_from_string", pointer, [pointer, ctypes.c_char_p] + [ctypes.c_int] * 2),
        ("xkb_state_new", pointer, [pointer]),
        ("xkb_state_key_get_utf32", number, [pointer, number]),
    ):
        getattr(xkb, name).restype, getattr(xkb, name).argtypes = result, arguments
    source = keymap.to_text().encode()
    compiled = xkb.xkb_keymap_new_from_string(xkb.xkb_context_new(0), source, 1, 0)
    assert compiled, "libxkbcommon does not accept the keymap"
    state = xkb.xkb_state_new(compiled)
    codes = [keymap.code(character) for character in text]
    return "".join(chr(xkb.xkb_state_key_get_utf32(state, code + 8)) for code in codes)


@pytest.mark.desktop
def test_every_key_types_its_character() -> None:
    text = string.ascii_letters + string.digits + string.punctuation + " äß€世🙂\t\b\x1b"
    keymap = TextKeymap()

    keymap.add(text)

    assert symbols_of(keymap, text) == text


def test_ordinary_typing_needs_no_new_keymap() -> None:
    keymap = TextKeymap()

    assert not keymap.add(string.ascii_letters + string.digits + string.punctuation + " \n\t")


def test_a_character_keeps_its_key_when_others_come() -> None:
    keymap = TextKeymap()
    keymap.add("ж")
    code = keymap.code("ж")

    assert keymap.add("Ω")

    assert keymap.code("ж") == code


def test_control_characters_and_lone_surrogates_have_no_key() -> None:
    keymap = TextKeymap()

    assert not keymap.add("\x00\x01\x85\ud800")

    assert keymap.code("\x00") is None


@given(st.lists(st.text(min_size=1, max_size=32), max_size=40))
def test_whatever_is_typed_fits_the_table_and_has_distinct_keys(texts: list[str]) -> None:
    keymap = TextKeymap()

    for text in texts:
        keymap.add(text)
        characters = sorted({character for character in text if can_type(character)})
        codes = [keymap.code(character) for character in characters]

        assert all(code is not None and FIRST_CODE <= code <= LAST_CODE for code in codes)
        assert len(set(codes)) == len(codes)
