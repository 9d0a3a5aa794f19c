"""Characters as keys."""

import ctypes

import pytest

from punktfunk.drivers import keysyms
from punktfunk.drivers.keysyms import keysym_of


@pytest.fixture(autouse=True)
def _forget():
    keysym_of.cache_clear()
    yield
    keysym_of.cache_clear()


@pytest.mark.parametrize(
    ("character", "keysym"),
    [
        *(("a", 0x61), ("ß", 0xDF), ("ÿ", 0xFF), ("☃", 0x0100_2603), ("🙂", 0x0101_F642)),
        *(("\n", 0xFF0D), ("\r", 0xFF0D), ("\t", 0xFF09), ("\b", 0xFF08)),
        *(("\x07", 0), ("\x80", 0), ("\ud800", 0)),
    ],
)
@pytest.mark.parametrize("library", [keysyms._LIBRARY, "libnot-there.so"])
def test_characters_have_keysyms(monkeypatch, library: str, character: str, keysym: int) -> None:
    monkeypatch.setattr(keysyms, "_LIBRARY", library)

    assert keysym_of(character) == keysym


def test_a_character_with_an_old_name_goes_by_that() -> None:
    try:
        ctypes.CDLL(keysyms._LIBRARY)
    except OSError:
        pytest.skip(f"{keysyms._LIBRARY} is not installed")

    assert keysym_of("€") == 0x20AC
