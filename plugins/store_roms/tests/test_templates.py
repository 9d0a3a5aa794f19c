"""Command lines: one argument stays one argument."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from punktfunk_store_roms.templates import Template, TemplateError, parse_template

HOME = "/home/someone"

file_names = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=[]), min_size=1, max_size=40
).filter(lambda name: name not in (".", ".."))


def test_a_command_is_split_as_a_shell_would_but_not_run_by_one() -> None:
    template = parse_template("""retro -L "/my cores/a.so" 'x;y' {rom} $HOME `id` | tee""", HOME)

    assert template.fill(Path("/g/a b.sfc")) == (
        "retro", "-L", "/my cores/a.so", "x;y", "/g/a b.sfc", "$HOME", "`id`", "|", "tee",
    )  # fmt: skip


def test_the_home_folder_is_put_in() -> None:
    template = parse_template("~/bin/emu -L ~/cores/a.so {rom} ~root", HOME)

    assert template.words == (f"{HOME}/bin/emu", "-L", f"{HOME}/cores/a.so", "{rom}", "~root")


def test_a_place_may_be_part_of_an_argument() -> None:
    template = parse_template("emu --exec={rom} {folder} {name}", HOME)

    assert template.fill(Path("/g/a b.iso")) == ("emu", "--exec=/g/a b.iso", "/g", "a b")


@given(name=file_names)
def test_threat_21_a_file_name_is_one_whole_argument(name: str) -> None:
    rom = Path("/games") / name

    filled = Template(("emu", "-f", "--exec={rom}", "--", "{rom}")).fill(rom)

    assert filled == ("emu", "-f", f"--exec={rom}", "--", str(rom))


def test_threat_21_a_name_with_a_place_in_it_is_filled_in_once() -> None:
    rom = Path("/games/{name}{rom}{core}.sfc")

    assert Template(("emu", "{rom}"), core="/c.so").fill(rom) == ("emu", str(rom))


def test_threat_21_a_name_that_would_be_an_option_is_not_started() -> None:
    template = parse_template("mame -rompath {folder} {name}", HOME)

    assert template.fill(Path("/games/-help.zip")) is None
    assert template.fill(Path("/games/pacman.zip")) == ("mame", "-rompath", "/games", "pacman")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "program"),
        ("   ", "program"),
        ("{rom}", "program"),
        ("emu", "{rom}"),
        ("emu {folder}", "{rom}"),
        ("emu 'open {rom}", "quotation"),
        ("emu {rom} \\", "escaped"),
        ("emu {rom} {core}", "core"),
        ("emu\0 {rom}", "command line"),
        ("emu {rom} " + "x" * 10_000, "command line"),
    ],
)
def test_what_is_no_command_line_is_refused_with_a_reason(text: str, complaint: str) -> None:
    with pytest.raises(TemplateError, match=complaint):
        parse_template(text, HOME)


@given(text=st.text())
def test_no_command_line_raises_anything_else(text: str) -> None:
    try:
        template = parse_template(text, HOME)
    except TemplateError:
        return
    assert template.fill(Path("/games/a.sfc")) is not None
