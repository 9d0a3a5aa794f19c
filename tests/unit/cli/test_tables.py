"""Tables for people: aligned, narrow where the terminal is, and harmless."""

import pytest

from punktfunk.cli.ctl.tables import Facts, Table, ago, lasting
from punktfunk.cli.printable import printable

NOW_S = 1_800_000_000


def test_columns_are_aligned_by_what_a_terminal_shows() -> None:
    table = Table(("NAME", "N"), [("超级", 1), ("e\u0301clair", 22), ("", True)])

    assert table.text(0).split("\n") == [
        "NAME    N",
        "超级    1",
        "e\u0301clair  22",
        "-       yes",
    ]


def test_only_the_wide_column_is_cut_and_only_for_a_terminal() -> None:
    table = Table(("ID", "TITLE", "E"), [("a" * 20, "t" * 80, "z")], wide=1)

    cut = table.text(60).split("\n")[1]
    assert cut == f"{'a' * 20}  {'t' * 34}…  z"
    assert len(cut) == 60
    assert len(table.text(0).split("\n")[1]) == 105
    assert len(table.text(20).split("\n")[1]) == 37


def test_names_cannot_speak_to_a_terminal() -> None:
    nasty = "\x1b]0;x\x07 \u202e \x9b2J \u2028 \r\n \ud800"

    for text in (Table(("N",), [(nasty,)]).text(0), Facts(("n", nasty)).text()):
        assert all(letter.isprintable() for letter in text.replace("\n", "", 1))
    assert printable("Bücher 超级 🎮") == "Bücher 超级 🎮"


def test_facts_that_are_unknown_are_left_out() -> None:
    assert (
        Facts(("pin", None), ("armed", False), ("clients", 0)).text() == "armed    no\nclients  0"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7_200, "2 h"),
        (7_500, "2 h 5 min"),
        (1e6, "11 days"),
    ],
)
def test_lengths_of_time_have_a_unit_that_fits(seconds: float, text: str) -> None:
    assert lasting(seconds) == text


def test_times_are_said_from_now() -> None:
    assert ago(NOW_S - 300, NOW_S) == "5 min ago"
    assert ago(NOW_S + 300, NOW_S) == "in 5 min"
    assert ago(NOW_S, NOW_S) == "now"
    assert ago(None) == ago(0) == "-"
    assert ago(1_600_000_000, NOW_S).startswith("2020-09-")
