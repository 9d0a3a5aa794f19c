"""What damaged and hostile entries cost: themselves."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from punktfunk_store_desktop import library_games
from punktfunk_store_desktop.entry import MAX_FILE_BYTES, parse_entry

GOOD = "[Desktop Entry]\nType=Application\nName=A\nExec=game\nCategories=Game;\n"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        bytes(range(256)) * 20,
        GOOD.encode()[:30],
        GOOD.encode().replace(b"Exec=game", b"Exec=ga\xffme"),
        GOOD.encode().replace(b"Name=A", b"Name=  "),
        GOOD.encode().replace(b"Name=A", b"Name=\x1b\x07"),
        GOOD.encode().replace(b"Exec=game", b"Exec=game\0"),
        GOOD.encode().replace(b"[Desktop Entry]", b"[KDE Desktop Entry]"),
        GOOD.encode().replace(b"Exec=game", b'Exec=game "'),
        GOOD.encode() + b"#" * MAX_FILE_BYTES,
    ],
    ids=[
        *("empty", "binary", "truncated", "exec not UTF-8", "no name", "only control characters"),
        *("NUL", "another group", "open quote", "too long"),
    ],
)
def test_a_bad_entry_costs_only_itself(menu, listed, content: bytes) -> None:
    menu.put("bad.desktop", content)
    menu.add("good")

    assert set(listed()) == {"good"}


def test_a_bad_translation_costs_only_itself(menu, listed) -> None:
    menu.put("a.desktop", GOOD.encode() + b"Name[de]=Stra\xdfe\nComment[de]=\xff\n")

    assert listed({"LANG": "de_DE.UTF-8"})["a"].title == "A"


def test_an_entry_of_100_mb_is_not_read(menu, listed, caplog) -> None:
    with menu.add("huge").open("r+b") as file:
        file.truncate(100 << 20)
    menu.add("good")

    assert set(listed()) == {"good"}
    assert "longer than 1 MiB" in caplog.text


def test_links_in_circles_end(menu, listed) -> None:
    top = menu.add("a").parent
    (top / "circle").symlink_to(top)
    (top / "self").symlink_to(top / "self")
    (top / "lost.desktop").symlink_to(top / "lost.desktop")
    (top / "deeper").mkdir()
    (top / "deeper/up").symlink_to(top / "deeper")
    menu.add("deeper/b")

    assert set(listed()) == {"a", "deeper-b"}


def test_folders_without_end_are_not_followed_to_it(menu, listed) -> None:
    menu.add("a")
    menu.add("/".join(["deep"] * 30) + "/b")

    assert set(listed()) == {"a"}


def test_names_of_files_may_be_anything(menu, listed) -> None:
    for name in ("a b;$(reboot)", "ä", "..%2f", "plain", "a" * 240, ""):
        menu.put(f"{name}.desktop", GOOD)
    menu.put(os.fsdecode(b"\xff.desktop"), GOOD)
    menu.put(os.fsdecode(b"\xfe.desktop"), GOOD.replace("Exec=game", "Exec=game %k"))

    assert set(listed()) == {"a%20b%3B%24%28reboot%29", "%C3%A4", "..%252f", "plain", "%FF"}


@pytest.mark.parametrize(
    "exec_line",
    [
        "game ;rm -rf ~",
        "game; rm -rf /",
        "game $(reboot)",
        "game `reboot`",
        "game | sh",
        "game && reboot",
        "game > /etc/passwd",
        "LD_PRELOAD=/tmp/evil.so game",
        "./game",
        "../../tmp/evil",
        "game\\nreboot",
        "game %c$(reboot)",
    ],
)
def test_threat_21_an_exec_line_meant_for_a_shell_costs_only_its_own_entry(
    menu, argv, listed, exec_line: str
) -> None:
    menu.add("good")

    assert argv(exec_line) is None
    assert set(listed()) == {"good"}


@pytest.mark.parametrize(
    ("exec_line", "expected"),
    [
        ('game ";rm -rf ~"', ("game", ";rm -rf ~")),
        ('game "\\\\$(reboot)" "\\\\`reboot\\\\`"', ("game", "$(reboot)", "`reboot`")),
        ('game "a\\nreboot"', ("game", "a\nreboot")),
        ("env LD_PRELOAD=/tmp/evil.so game", ("env", "LD_PRELOAD=/tmp/evil.so", "game")),
        ("env X=1 game --a", ("env", "X=1", "game", "--a")),
        ("game --title=%c", ("game", "--title=; rm -rf ~ $(reboot) `id` %k")),
    ],
)
def test_threat_21_what_is_quoted_stays_one_word_byte_for_byte(
    argv, listed, exec_line: str, expected: tuple[str, ...]
) -> None:
    found = argv(exec_line, Name="; rm -rf ~ $(reboot) `id` %k")

    assert found == expected
    assert listed()["a"].launch.environment == {}


def test_threat_21_a_title_does_not_get_into_a_script(argv) -> None:
    assert argv('sh -c "game %c"', Name="; reboot") is None
    assert argv('sh -c "game %k"') is None


@given(st.binary(max_size=400) | st.text('[Desktop Entry]\nNameExcTyp=\\;"%#', max_size=200))
def test_no_content_raises(content: bytes | str) -> None:
    entry = parse_entry(content if isinstance(content, bytes) else content.encode())

    for key in entry.values:
        assert isinstance(entry.localized(key, ["de"]), str)
        assert isinstance(entry.words(key), frozenset)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "Type",
                "Name",
                "Exec",
                "Icon",
                "Path",
                "TryExec",
                "Terminal",
                "OnlyShowIn",
                "Categories",
            ]
        ),
        st.text(max_size=30) | st.sampled_from(["Application", "Game;", "game", "true", "/bin/sh"]),
    )
)
@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_entry_raises(menu, host, keys: dict[str, str]) -> None:
    values = {"Type": "Application", "Name": "A", "Exec": "game", "Categories": "Game;", **keys}
    lines = [f"{key}={value}" for key, value in values.items()]
    menu.put("any.desktop", "\n".join(["[Desktop Entry]", *lines]).encode(errors="replace"))

    for game in library_games(host):
        assert game.launch.argv[0]
