"""Whose word counts: everybody's, the app's, the client's, or that of the two together."""

from pathlib import Path

import pytest

from punktfunk.config import load_config
from punktfunk.config.chain import explain, session_settings
from punktfunk.errors import ConfigError
from punktfunk.model.apps import PrepCommand

TV, PHONE = "aa" * 32, "bb" * 32
GAME, DESKTOP = "steam:570", "builtin:desktop"
CHAIN = f"""
[stream]
max_fps = 144

[[override]]
app = "{GAME}"
client = "{TV}"
max_fps = 30

[[override]]
client = "aaaaaaaa"
max_fps = 60
compositor = ["gamescope"]

[[override]]
app = "{GAME}"
max_fps = 90
max_bitrate_kbps = 20000
"""


@pytest.fixture
def load(tmp_path: Path):
    def from_text(text: str):
        (tmp_path / "config.toml").write_text(text)
        return load_config(tmp_path, environment={})

    return from_text


@pytest.mark.parametrize(
    ("app", "client", "max_fps", "place"),
    [
        (DESKTOP, PHONE, 144, "config.toml line 3"),
        (GAME, PHONE, 90, "config.toml line 17"),
        (DESKTOP, TV, 60, "config.toml line 12"),
        (GAME, TV, 30, "config.toml line 8"),
    ],
)
def test_what_is_said_of_fewer_sessions_counts_more(load, app, client, max_fps, place):
    loaded = load(CHAIN)

    assert session_settings(loaded.settings, app, client).stream.max_fps == max_fps
    (explained,) = (it for it in explain(loaded, app, client) if it.key == "stream.max_fps")
    assert (explained.value, str(explained.origin)) == (max_fps, place)


def test_values_come_from_different_places(load):
    effective = session_settings(load(CHAIN).settings, GAME, TV)

    assert effective.stream.max_bitrate_kbps == 20_000
    assert effective.drivers.compositor == ("gamescope",)
    assert effective.stream.max_width == 7_680


def test_where_an_app_appears_can_differ(load):
    loaded = load('[[override]]\napp = "steam:570"\ndesktop_mode = "attach"\n')

    modes = [session_settings(loaded.settings, app, TV).desktop.mode for app in (GAME, DESKTOP)]
    explained = {it.key: it for it in explain(loaded, GAME, TV)}

    assert modes == ["attach", "own"]
    assert explained["desktop.mode"].value == "attach"
    assert str(explained["desktop.mode"].origin) == "config.toml line 3"


def test_among_equals_the_later_one_counts(load):
    text = "".join(f'[[override]]\napp = "{GAME}"\nmax_fps = {fps}\n' for fps in (30, 60))

    assert session_settings(load(text).settings, GAME, TV).stream.max_fps == 60


def test_every_command_that_fits_runs_the_general_ones_first(load):
    loaded = load(
        f'[[prep]]\nclient = "{TV}"\ndo = ["tv"]\n'
        f'[[prep]]\ndo = ["all"]\nundo = ["undo-all"]\n'
        f'[[prep]]\napp = "{DESKTOP}"\nundo = ["undo-desktop"]\n'
    )

    assert session_settings(loaded.settings, GAME, TV).prep == (
        PrepCommand(do=["all"], undo=["undo-all"]),
        PrepCommand(do=["tv"]),
    )
    commands = [it.key for it in explain(loaded, DESKTOP, PHONE) if it.key.startswith("prep")]
    assert commands == ["prep[1]", "prep[2]"]


def test_without_a_file_everything_is_explained_by_its_default(load):
    assert {str(it.origin) for it in explain(load(""), GAME, TV)} == {"default"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[override]]\nclient = "xyz"\n', "line 2: override[0].client must be 8 to 64"),
        ("[[override]]\nmax_fps = 0\n", "line 2: override[0].max_fps must be a whole number"),
        ("[[override]]\nmax_sessions = 3\n", "line 2: override[0].max_sessions: no such setting"),
        ('[[prep]]\ndo = "rm -rf /"\n', "line 2: prep[0].do must be a list of strings"),
    ],
)
def test_a_wrong_entry_is_one_precise_line(load, text, says):
    with pytest.raises(ConfigError) as caught:
        load(text)

    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
