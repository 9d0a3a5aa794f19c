"""Comments of a file that a program edits are never lost, and stay above what they stood above."""

import tomllib
from collections.abc import Sequence
from functools import partial

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from punktfunk.config.comments import edited
from punktfunk.config.editing import _put_in, _take_out
from punktfunk.config.overrides import put_override

CLIENT = "ab" * 32
TEXT = """# the whole file

# --- the picture ---
[stream]
max_fps = 60
# max_width = 1280

# --- where the console is ---
[mgmt]
names = [
  # this one is for the phone
  "tv.example",
]

[[override]]  # the couch
client = "abababab"
max_fps = 30

# --- what is told when something happens: mind the secret ---
[[webhook]]
url = "https://x.example/"

# the end
"""


def with_override(app: str, client: str, **values: object):
    return partial(put_override, app=app, client=client, values=values)


def with_value(key: str, value: object):
    return partial(_put_in, key=key, value=value)


def test_an_override_that_goes_leaves_the_comment_of_what_follows() -> None:
    entry = '[[override]]  # the couch\nclient = "abababab"\nmax_fps = 30\n\n'

    assert edited(TEXT, with_override("", CLIENT)) == TEXT.replace(entry, "")


def test_a_new_override_comes_before_the_comment_of_what_follows() -> None:
    entry = '[[override]]\napp = "steam:570"\nmax_fps = 20\n\n'
    below = "# --- what is told"

    after = edited(TEXT, with_override("steam:570", "", max_fps=20))

    assert after == TEXT.replace(below, entry + below)


def test_a_new_value_comes_right_after_the_others_of_its_table() -> None:
    after = edited(TEXT, with_value("stream.max_width", 1_920))

    assert after == TEXT.replace("max_fps = 60\n", "max_fps = 60\nmax_width = 1920\n")


def test_a_new_table_comes_after_the_end() -> None:
    assert edited(TEXT, with_value("host.name", "TV")) == TEXT + '\n[host]\nname = "TV"\n'


def test_comments_within_a_list_stay_when_the_list_is_another() -> None:
    after = edited(TEXT, with_value("mgmt.names", ["pc.example"]))

    assert 'names = ["pc.example"]\n  # this one is for the phone\n\n' in after


def test_a_comment_whose_value_is_gone_is_not_taken_for_that_of_the_next() -> None:
    text = "[stream]\n# slow\nmax_fps = 30\nmax_width = 640\n# low\nmax_height = 480\n[host]\n"

    after = edited(text, partial(_take_out, key="stream.max_fps"))
    assert after == text.replace("max_fps = 30\n", "\n")
    after = edited(text, partial(_take_out, key="stream.max_height"))
    assert after == text.replace("max_height = 480\n", "\n")


def test_a_table_that_stays_in_a_list_keeps_its_comment() -> None:
    text = "".join(f'# number {n}\n[[webhook]]\nurl = "https://{n}.example/"\n\n' for n in range(3))
    urls = [{"url": f"https://{n}.example/"} for n in range(3)]

    assert edited(text, with_value("webhook", urls)) == text
    after = edited(text, with_value("webhook", [urls[0], urls[2]]))
    assert after == text.replace('[[webhook]]\nurl = "https://1.example/"\n', "")
    after = edited(text, with_value("webhook", [urls[0], {"url": "https://new/"}, *urls[1:]]))
    assert '\n\n[[webhook]]\nurl = "https://new/"\n\n# number 1\n' in after
    after = edited(text, with_value("webhook", [urls[0], {"url": "https://new/"}, urls[2]]))
    assert after == text.replace("https://1.example/", "https://new/")
    assert comments(edited(text, with_value("webhook", []))) == comments(text)


def test_tables_in_any_order_keep_their_comments() -> None:
    text = (
        '# one\n[[override]]\napp = "a:1"\nmax_fps = 30\n# two\n[stream]\nmax_fps = 60\n'
        '# three\n[[override]]\napp = "b:1"\nmax_fps = 30\n'
    )

    after = edited(text, with_override("c:1", "", max_fps=20))

    assert standing_above(after) == standing_above(text)
    assert len(tomllib.loads(after)["override"]) == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing but this",
        "stream.max_fps = 60 # of all",
        '[host]\nname = """\n[stream]\n# no comment\n"""\n\n# above\n[stream]\n',
        "[mgmt]\nnames = [\n[\n# in a list of lists\n],\n]\n# above\n[stream]\n",
        "# dos\r\n[stream]\r\nmax_fps = 60\r\n\r\n# above\r\n[host] # and beside\r\n",
        '[plugin]\n# of one\nx.y = 1\n[plugin."a.b".c]\n# of another\n\n  # indented\n  [stream]',
        '[host]\nname = """\n# no comment\n\n# nor this"""\n\n# but this\n[stream]\n',
        "[stream] #block-7\nmax_fps = 60\n",
    ],
)
def test_a_text_that_is_not_changed_stays_as_it_is(text: str) -> None:
    assert edited(text, lambda document: None) == (text and text.removesuffix("\n") + "\n")
    added = edited(text, with_value("stream.max_width", 640))
    assert comments(added) == comments(text)
    assert tomllib.loads(added)["stream"]["max_width"] == 640


LINES = st.sampled_from(["# a", "# b", "#c = 1", "", "", "# [x]"])
VALUES = {
    "stream": ["max_fps = 60", "max_width = 640  # beside", "max_height = 480"],
    "mgmt": ['names = [\n  # within\n  "a",\n]', "bind = '127.0.0.1:1'"],
    "override": ["max_fps = 30", 'codecs = ["h264"]', "guests = 'watch'"],
    "webhook": ['url = "https://x.example/"', 'on = ["session.*"]'],
}
APPS = ["a:1", "b:1"]


@st.composite
def texts(draw: st.DrawFn) -> str:
    lines: list[str] = draw(st.lists(LINES, max_size=4))
    for name in draw(st.permutations(sorted(VALUES))):
        many = name in ("override", "webhook")
        for _ in range(draw(st.integers(0, 3 if many else 1))):
            lines.append(f"[[{name}]]" if many else f"[{name}]")
            values = draw(st.lists(st.sampled_from(VALUES[name]), unique=True))
            if name == "override":
                values.insert(0, f'app = "{draw(st.sampled_from(APPS))}"')
            for value in values:
                lines += [*draw(st.lists(LINES, max_size=2)), value]
            lines += draw(st.lists(LINES, max_size=5))
    return "\n".join(lines) + draw(st.sampled_from(["", "\n"]))


EDITS = st.one_of(
    st.builds(
        with_override,
        st.sampled_from([*APPS, "c:1"]),
        st.just(""),
    ),
    st.builds(
        with_override,
        st.sampled_from([*APPS, "c:1"]),
        st.just(""),
        max_fps=st.just(20),
    ),
    st.builds(with_value, st.sampled_from(["stream.max_fps", "host.base_port"]), st.just(7)),
    st.builds(with_value, st.just("mgmt.names"), st.just(["new"])),
    st.builds(
        with_value,
        st.just("webhook"),
        st.lists(st.sampled_from([{"url": "https://x.example/"}, {"url": "y"}]), max_size=4),
    ),
    st.builds(
        lambda key: partial(_take_out, key=key),
        st.sampled_from(["stream.max_fps", "stream.max_height", "mgmt.names", "mgmt", "stream"]),
    ),
)


@given(texts(), st.lists(EDITS, min_size=1, max_size=3))
def test_any_edit_keeps_every_comment_in_order_above_what_it_stood_above(text, edits) -> None:
    for edit in edits:
        plain = tomlkit.parse(f"{text}\n")
        edit(plain)
        after = edited(text, edit)

        assert comments(after) == comments(text)
        assert tomllib.loads(after) == plain.unwrap()
        assert set(standing_above(after)) <= set(standing_above(text))
        text = after


def comments(text: str) -> Sequence[str]:
    return [line.strip() for line in text.split("\n") if line.lstrip().startswith("#")]


def standing_above(text: str) -> Sequence[tuple[int, str, str]]:
    """Comments right above something, by number, and what that is."""
    lines = [line.strip() for line in text.split("\n")]
    numbered = [(at, line) for at, line in enumerate(lines) if line.startswith("#")]
    return sorted(
        (comments(text)[:number].count(line), line, lines[at + 1].partition("=")[0])
        for number, (at, line) in enumerate(numbered)
        if at + 1 < len(lines) and lines[at + 1]
    )
