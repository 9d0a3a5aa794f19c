import pytest
from hypothesis import given
from hypothesis import strategies as st
from punktfunk_store_roms.titles import MAX_TITLE_LENGTH, title_of


@pytest.mark.parametrize(
    ("stem", "title"),
    [
        ("Legend (USA) (Rev 1) [!]", "Legend"),
        ("Legend, The (Europe) (En,Fr,De)", "The Legend"),
        ("Legend, The - A Tale (Japan)", "The Legend - A Tale"),
        ("Here, There and Everywhere", "Here, There and Everywhere"),
        ("Saga (USA) (Disc 2)", "Saga (Disc 2)"),
        ("Saga (Disc 1 of 3) (v1.1)", "Saga (Disc 1 of 3)"),
        ("Racer_64_(U)", "Racer 64"),
        ("(USA)", "(USA)"),
        ("Ōkami [jp]", "Ōkami"),
        ("two\nlines\x1b[31m", "two lines [31m"),
        ("\n", ""),
        ("Saga \udcff", "Saga"),
    ],
)
def test_a_title_is_what_a_person_would_call_it(stem: str, title: str) -> None:
    assert title_of(stem) == title


@given(stem=st.one_of(st.text(), st.text("()[]{},_ aThe")))
def test_every_title_can_be_shown(stem: str) -> None:
    title = title_of(stem)

    assert title == title.strip()
    assert title.isprintable()
    assert len(title) <= MAX_TITLE_LENGTH
