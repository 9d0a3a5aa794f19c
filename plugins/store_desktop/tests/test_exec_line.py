"""Exec lines: byte by byte what the specification says, and nothing where it says no."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from punktfunk_store_desktop.entry import BadEntry, parse_entry
from punktfunk_store_desktop.exec_line import Fields, parse_exec

FIELDS = Fields(name="Reef; $(reboot)", icon="reef racer", path="/home/a/reef-racer.desktop")


def parse(line: str, fields: Fields = FIELDS) -> tuple[str, ...]:
    return parse_exec(line, fields)


@pytest.mark.parametrize(
    ("line", "argv"),
    [
        ("game", ("game",)),
        ("  game   -a  b ", ("game", "-a", "b")),
        ('game "a b"', ("game", "a b")),
        ('"/opt/my game/run" x', ("/opt/my game/run", "x")),
        ('game ""', ("game", "")),
        ('game "say \\"hi\\"" "\\$HOME" "\\`id\\`" "C:\\\\games"', None),
        ("game --a=b,c:d/e@f[g]{h}!i^j+k", ("game", "--a=b,c:d/e@f[g]{h}!i^j+k")),
        ('game "it\'s;|&<>()*?#~"', ("game", "it's;|&<>()*?#~")),
        ('game "two\nlines\tand a tab"', ("game", "two\nlines\tand a tab")),
        ('game "a\\b"', ("game", "a\\b")),
        ("game Füße 🎮", ("game", "Füße", "🎮")),
    ],
)
def test_words_are_split_and_quotes_undone(line: str, argv: tuple[str, ...] | None) -> None:
    expected = argv or ("game", 'say "hi"', "$HOME", "`id`", "C:\\games")

    assert parse(line) == expected


@pytest.mark.parametrize(
    ("line", "argv"),
    [
        ("game %f", ("game",)),
        ("game %F %u %U", ("game",)),
        ('game "%u"', ("game",)),
        ("game --open=%f -x", ("game", "--open=", "-x")),
        ("game @@u %U @@", ("game", "@@u", "@@")),
        ("game %d %D %n %N %v %m", ("game",)),
        ("game --%m-%v", ("game", "---")),
        ("game %i", ("game", "--icon", "reef racer")),
        ("game %c", ("game", "Reef; $(reboot)")),
        ("game --title=%c", ("game", "--title=Reef; $(reboot)")),
        ("game %k", ("game", "/home/a/reef-racer.desktop")),
        ("game 100%% %%f", ("game", "100%", "%f")),
        ('game "100%%"', ("game", "100%")),
    ],
)
def test_field_codes_are_expanded(line: str, argv: tuple[str, ...]) -> None:
    assert parse(line) == argv


def test_what_a_code_stands_for_is_not_read_again() -> None:
    fields = Fields(name='%k "%c" %f', icon="", path="%c")

    assert parse("game %c %k %i", fields) == ("game", '%k "%c" %f', "%c")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "   ",
        "%f",
        '""',
        "X=1 game",
        "game 'a b'",
        "game a\\ b",
        'game "a',
        'game "a"b',
        'game a"b"',
        'game "$HOME"',
        'game "`id`"',
        "game $HOME",
        "game ~/save",
        "game a;reboot",
        "game a\tb",
        "game %x",
        "game %",
        "game a%",
        "game a%F",
        "game a%i",
        'game "run %c"',
        'sh -c "game %k"',
        "game \0",
    ],
)
def test_what_the_specification_forbids_is_refused(line: str) -> None:
    with pytest.raises(BadEntry):
        parse(line)


@pytest.mark.parametrize("char", list(";|&<>()*?#~'`$\\\"\t\n"))
def test_threat_21_every_reserved_character_needs_quotes(char: str) -> None:
    with pytest.raises(BadEntry):
        parse(f"game a{char}reboot")


@given(st.text(max_size=60) | st.text('game "\\$`%fucik;\n', max_size=60))
@example('"' * 1_000)
@example("%" * 1_001)
def test_threat_21_no_line_raises_or_makes_a_word_of_its_own(line: str) -> None:
    try:
        argv = parse(line)
    except BadEntry:
        return

    values = ("--icon", FIELDS.icon, FIELDS.name, FIELDS.path)
    assert argv[0]
    assert len(argv) <= 2 * len(line)
    for word in argv:
        for value in values:
            word = word.replace(value, "")
        assert set(word) <= set(line)


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1)
)
def test_threat_21_any_argv_survives_quoting_byte_for_byte(words: list[str]) -> None:
    argv = ("game", *words)

    entry = parse_entry(f"[Desktop Entry]\nExec={to_exec(argv)}\n".encode())

    assert parse(entry.text("Exec")) == argv


def to_exec(argv: tuple[str, ...]) -> str:
    """Write argv as the specification says: quote, then escape as any string."""
    quoted = []
    for word in argv:
        for char in '\\"`$':
            word = word.replace(char, "\\" + char)
        quoted.append('"' + word.replace("%", "%%") + '"')
    line = " ".join(quoted)
    for char, escape in (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        line = line.replace(char, escape)
    return line
