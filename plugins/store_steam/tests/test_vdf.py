"""The two parsers: what Steam writes, and what nobody should."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from punktfunk_store_steam.vdf import (
    MAX_DEPTH,
    VdfError,
    binary_entries,
    map_of,
    parse_text,
    text_of,
)

MANIFEST = b"""\
"AppState"
{
\t"appid"\t\t"570"
\t"name"\t\t"Dota 2"
\t"UserConfig"
\t{
\t\t"language"\t\t"english"
\t}
}
"""

SHORTCUTS = (
    b"\x00shortcuts\x00"
    b"\x000\x00\x02appid\x00\x01\x00\x00\x80\x01AppName\x00One\x00"
    b"\x00tags\x00\x010\x00favorite\x00\x08\x08"
    b"\x001\x00\x02appid\x00\x02\x00\x00\x80\x01AppName\x00Two\x00\x00tags\x00\x08\x08"
    b"\x08\x08"
)

# Bytes that look like something to the parsers, so that more than the first is read.
vdf_like = st.lists(
    st.sampled_from(
        [b'"', b"\\", b"{", b"}", b"a", b"\n", b"\t", b"//", b"\xff", b"\0", b'"k" "v"']
    )
).map(b"".join)
binary_like = st.lists(
    st.sampled_from([b"\0", b"\1", b"\2", b"\7", b"\x08", b"\x0a", b"a\0", b"\xff", b"1234"])
).map(b"".join)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
nodes = st.recursive(
    st.dictionaries(texts, texts, max_size=4),
    lambda inner: st.dictionaries(texts, st.one_of(texts, inner), max_size=4),
    max_leaves=8,
)


def as_steam_writes(node: dict, depth: int = 0) -> str:
    tabs, out = "\t" * depth, ""
    for key, value in node.items():
        quoted = [text.replace("\\", "\\\\").replace('"', '\\"') for text in (key, str(value))]
        if isinstance(value, dict):
            out += f'{tabs}"{quoted[0]}"\n{tabs}{{\n{as_steam_writes(value, depth + 1)}{tabs}}}\n'
        else:
            out += f'{tabs}"{quoted[0]}"\t\t"{quoted[1]}"\n'
    return out


def lowered(node: dict) -> dict:
    """Of keys that are the same without regard to case, the first counts."""
    out: dict = {}
    for key, value in node.items():
        out.setdefault(key.lower(), lowered(value) if isinstance(value, dict) else value)
    return out


# --- text ------------------------------------------------------------------------------------


def test_a_manifest_is_read_whatever_the_case_of_its_keys() -> None:
    state = map_of(parse_text(MANIFEST), "appstate")

    assert text_of(state, "name") == "Dota 2"
    assert map_of(state, "userconfig") == {"language": "english"}


@given(node=nodes)
def test_what_is_written_is_read_again(node: dict) -> None:
    data = as_steam_writes(node).encode()

    assert parse_text(data) == lowered(node)


def test_comments_bare_words_and_a_byte_order_mark_are_understood() -> None:
    data = b'\xef\xbb\xbf// by hand\nroot\n{\n\tpath /games // mine\n\t"n" "1"\n}'

    assert parse_text(data) == {"root": {"path": "/games", "n": "1"}}


def test_of_a_key_given_twice_the_first_counts() -> None:
    assert parse_text(b'"a" "1" "A" "2" "b" { "c" "1" } "b" { "c" "2" }') == {
        "a": "1",
        "b": {"c": "1"},
    }


def test_bytes_that_are_not_utf8_are_kept_as_in_file_names() -> None:
    (value,) = parse_text(b'"path" "/games/\xff"').values()

    assert isinstance(value, str)
    assert value.encode(errors="surrogateescape") == b"/games/\xff"


@pytest.mark.parametrize("cut", range(1, len(MANIFEST) - 1))
def test_a_text_that_was_cut_off_says_so(cut: int) -> None:
    with pytest.raises(VdfError):
        parse_text(MANIFEST[:cut])


def test_what_was_read_before_the_damage_is_kept() -> None:
    with pytest.raises(VdfError) as caught:
        parse_text(b'"libraryfolders" { "0" { "path" "/a" } "1" { "path" "/b')

    assert caught.value.partial == {"libraryfolders": {"0": {"path": "/a"}, "1": {}}}


@pytest.mark.parametrize(
    "data",
    [b"{", b"}", b'"a" }', b'"a" "b" }', b'"a"', b'"a" { "b" }', b'"a', b'"a\\', b"\0" * 64],
)
def test_what_is_no_such_text_is_refused(data: bytes) -> None:
    with pytest.raises(VdfError):
        parse_text(data)


@given(data=st.one_of(st.binary(), vdf_like))
def test_no_text_raises_anything_else(data: bytes) -> None:
    with contextlib.suppress(VdfError):
        parse_text(data)


def test_maps_may_be_nested_only_so_deep() -> None:
    opened, closed = b'"a"\n{\n', b"}\n"

    parse_text(opened * MAX_DEPTH + closed * MAX_DEPTH)
    with pytest.raises(VdfError):
        parse_text(opened * (MAX_DEPTH + 1) + closed * (MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "unit",
    [b'"a" "b"\n', b'"', b"{", b'"a" {', b'"\\', b"//", b"a ", b'"x\n', b" ", b"\xff", b"\0"],
)
def test_time_grows_with_the_length_and_no_faster(unit: bytes) -> None:
    def seconds(size: int) -> float:
        data = unit * (size // len(unit))
        begin = time.process_time()
        with contextlib.suppress(VdfError):
            parse_text(data)
        return time.process_time() - begin

    small = min(seconds(100_000) for _ in range(3))

    # 16 times the length: a parser of quadratic time would take 256 times as long.
    assert seconds(1_600_000) < 100 * small + 0.5


# --- binary ----------------------------------------------------------------------------------


def test_shortcuts_are_read_with_their_numbers_unsigned() -> None:
    assert list(binary_entries(SHORTCUTS)) == [
        {"appid": 0x80000001, "appname": "One", "tags": {"0": "favorite"}},
        {"appid": 0x80000002, "appname": "Two", "tags": {}},
    ]


@pytest.mark.parametrize("cut", range(len(SHORTCUTS) - 1))
def test_shortcuts_before_a_cut_are_kept(cut: int) -> None:
    whole = list(binary_entries(SHORTCUTS))
    found = []

    with contextlib.suppress(VdfError):
        found.extend(binary_entries(SHORTCUTS[:cut]))

    assert found == whole[: len(found)]
    assert len(found) == (cut >= SHORTCUTS.index(b"\x001\x00\x02")) + (cut >= len(SHORTCUTS) - 2)


@given(data=st.one_of(st.binary(), binary_like, binary_like.map(b"\0s\0\0".__add__)))
def test_no_binary_raises_anything_else(data: bytes) -> None:
    with contextlib.suppress(VdfError):
        list(binary_entries(data))


@pytest.mark.parametrize(
    "unit",
    [b"\x00a\x00", b"\x01a\x00b\x00", b"\x00\x00\x08", b"\x02a\x00\x01\x02\x03\x04", b"\x08"],
)
def test_a_long_binary_is_refused_or_read_but_never_followed_down(unit: bytes) -> None:
    with contextlib.suppress(VdfError):
        list(binary_entries(b"\x00s\x00" + unit * 300_000))
