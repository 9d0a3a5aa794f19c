"""What damaged and hostile files cost: themselves."""

import json
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from punktfunk_store_heroic import library_games
from punktfunk_store_heroic.reading import MAX_FILE_BYTES

EPIC = "legendaryConfig/legendary/installed.json"

MEMBERS = (
    *("installed", "games", "library", "app_name", "appName", "id", "title", "install", "Quail"),
    *("is_dlc", "is_installed", "hidden", "art_square", "install_path"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(MEMBERS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("truncated", b'{"Quail": {"title": "Lan', "is damaged"),
        ("empty", b"", "is damaged"),
        ("binary", bytes(range(256)) * 8, "is damaged"),
        ("invalid UTF-8", b'{"Quail": {"title": "\xff"}}', "is damaged"),
        ("deep", b"[" * 200_000, "nested too deeply"),
        ("long number", b"[" + b"9" * 10_000 + b"]", "is damaged"),
        ("huge", b" " * (MAX_FILE_BYTES + 1), "longer than 32 MiB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_unreadable_file_costs_only_its_own_games(
    heroic, listed, caplog, name: str, data: bytes, reason: str
) -> None:
    heroic.put(EPIC, data)
    heroic.gog({"appName": "1"})

    with caplog.at_level(logging.WARNING):
        games = listed()

    assert list(games) == ["gog:1"]
    (record,) = caplog.records
    assert EPIC in record.getMessage()
    assert reason in record.getMessage()


def test_a_file_of_100_mb_is_not_read(heroic, listed, caplog) -> None:
    with heroic.put(EPIC, b'{"Quail": {}').open("r+b") as file:
        file.truncate(100 << 20)
    heroic.gog({"appName": "1"})

    assert list(listed()) == ["gog:1"]
    assert "longer than 32 MiB" in caplog.text


def test_a_link_that_leads_to_itself_costs_nothing_else(heroic, listed) -> None:
    path = heroic.epic()
    path.unlink()
    path.symlink_to(path)
    heroic.gog({"appName": "1"})

    assert list(listed()) == ["gog:1"]


def test_an_entry_of_another_shape_costs_only_itself(heroic, listed) -> None:
    heroic.write("gog_store/installed.json", {"installed": [None, 7, {}, {"appName": "1"}, []]})
    heroic.write("nile_config/nile/installed.json", {"installed": "yes"})
    heroic.write("sideload_apps/library.json", ["games"])

    assert list(listed()) == ["gog:1"]


@pytest.mark.parametrize(
    "app_name",
    [
        ";rm -rf ~",
        "$(reboot)",
        "`reboot`",
        "--config=/tmp/evil",
        "../../../etc/passwd",
        "..",
        "a/b",
        "a?arg=--evil",
        "a#b",
        "a%2fb",
        "a\nb",
        "a\0b",
        "a b",
        "ä",
        "",
        "a" * 500,
    ],
)
def test_threat_21_an_id_that_is_none_costs_only_its_own_entry(
    heroic, listed, caplog, app_name: str
) -> None:
    heroic.gog({"appName": app_name}, {"appName": "1"})

    assert {key: game.launch.argv for key, game in listed().items()} == {
        "gog:1": ("heroic", "--no-gui", "heroic://launch/gog/1")
    }
    assert "\n" not in caplog.records[0].getMessage()


def test_threat_21_a_title_never_gets_into_the_command(heroic, listed) -> None:
    title = "\u202e; rm -rf ~ $(reboot) \x1b[2J\n--no-gui \ud800"
    heroic.sideloaded({"app_name": "a", "title": title})

    game = listed()["sideload:a"]

    assert game.launch.argv == ("heroic", "--no-gui", "heroic://launch/sideload/a")
    assert game.launch.environment == {}
    assert game.title == "; rm -rf ~ $(reboot) [2J --no-gui"


def test_a_title_without_end_is_cut(heroic, listed) -> None:
    heroic.sideloaded({"app_name": "a", "title": "long " * 10_000}, {"app_name": "b", "title": " "})

    games = listed()

    assert len(games["sideload:a"].title) <= 500
    assert games["sideload:b"].title == "b"


@given(value=JSON)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_shape_of_json_raises(heroic, host, value: object) -> None:
    data = json.dumps(value).encode()
    for name in (EPIC, "gog_store/installed.json", "nile_config/nile/installed.json"):
        heroic.put(name, data)
    for runner in ("legendary", "gog", "nile"):
        heroic.put(f"store_cache/{runner}_library.json", data)
    heroic.put("sideload_apps/library.json", data)
    heroic.put("store/config.json", data)

    games = library_games(host)

    assert all(game.launch.argv[-1].startswith("heroic://launch/") for game in games)
