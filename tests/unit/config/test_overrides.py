"""What one app or one client gets of its own is written where it stood, and nothing beside it."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from punktfunk.config import LoadedConfig, load_config
from punktfunk.config.editing import rewrite
from punktfunk.config.overrides import own_values, put_override
from punktfunk.errors import ConfigError
from punktfunk.trust.files import write_with_backup

CLIENT = "ab" * 32
TEXT = """# mine
[stream]
max_fps = 144

# the old television
[[override]]
client = "abababab"
max_width = 1920  # it lies about 4K
max_fps = 60

[[override]]
app = "steam:570"
max_fps = 120
"""


@pytest.fixture
def put(tmp_path: Path):
    path = tmp_path / "config.toml"

    def put(
        values: Mapping[str, object], *, app: str = "", client: str = "", text: str = TEXT
    ) -> LoadedConfig:
        path.write_text(text)
        return rewrite(
            load_config(tmp_path, environment={}),
            partial(put_override, app=app, client=client, values=values),
            check=lambda settings: None,
            write=write_with_backup,
        )

    return put


def test_an_entry_is_changed_where_it_stands(put) -> None:
    after = put({"max_width": 1_920, "max_fps": 30}, client=CLIENT)

    assert after.file.read_text() == TEXT.replace("max_fps = 60", "max_fps = 30")
    assert own_values(after.settings, client=CLIENT) == {"max_width": 1_920, "max_fps": 30}


def test_what_is_not_named_goes_and_what_is_new_comes_to_the_same_entry(put) -> None:
    after = put({"max_width": 1_920, "codecs": ["h264"]}, client=CLIENT)

    assert own_values(after.settings, client=CLIENT) == {"max_width": 1_920, "codecs": ("h264",)}
    assert len(after.settings.override) == 2
    assert "# it lies about 4K" in after.file.read_text()


def test_something_new_gets_an_entry_of_its_own(put) -> None:
    after = put({"desktop_mode": "attach"}, app="steam:570", client=CLIENT)

    assert after.file.read_text().startswith(TEXT)
    assert own_values(after.settings, "steam:570", CLIENT) == {"desktop_mode": "attach"}
    assert own_values(after.settings, "steam:570") == {"max_fps": 120}


def test_an_entry_that_is_left_empty_goes(put) -> None:
    after = put({}, app="steam:570")

    assert [it.client for it in after.settings.override] == ["abababab"]
    assert 'app = "steam:570"' not in after.file.read_text()


def test_entries_of_others_stay_also_when_they_set_nothing_yet(put) -> None:
    later = '[[override]]\napp = "a:1"\n# max_fps = 30\n\n'

    after = put({}, app="steam:570", text=f"{later}{TEXT}")
    assert after.file.read_text().startswith(later)
    after = put({"max_fps": 20}, app="a:2", text=later)
    assert [it.app for it in after.settings.override] == ["a:1", "a:2"]
    assert put({}, app="a:1", text=later).file.read_text() == later
    assert own_values(put({"max_fps": 9}, app="a:1", text=later).settings, "a:1")


def test_the_last_entry_goes_with_its_array(put) -> None:
    only = """[[override]]
app = "steam:570"
max_fps = 120
"""

    assert put({}, app="steam:570", text=only).settings.override == ()
    assert put({}, app="steam:1", text="").settings.override == ()


def test_of_two_entries_about_the_same_both_are_changed(put) -> None:
    twice = (
        TEXT
        + """
[[override]]
app = "steam:570"
max_fps = 90
max_height = 1080
"""
    )

    after = put({"max_fps": 30}, app="steam:570", text=twice)

    assert own_values(after.settings, "steam:570") == {"max_fps": 30}
    assert put({"max_fps": 30, "guests": "watch"}, app="steam:570", text=twice)


@pytest.mark.parametrize(
    ("values", "app", "says"),
    [
        ({"max_fps": 0}, "steam:570", "max_fps must be a whole number"),
        ({"max_fps": True}, "steam:570", "max_fps must be a whole number"),
        ({"codecs": ["mpeg2"]}, "steam:570", "codecs must be a list"),
        ({"max_sessions": 3}, "steam:570", "no such setting"),
        ({"client": "cdcdcdcd"}, "steam:570", "no such setting"),
        ({"max_fps": {"a": 1}}, "steam:570", "not a table"),
        ({"max_fps": 60}, "", "an app, a client or both"),
    ],
)
def test_what_is_no_override_is_refused_and_nothing_is_written(put, values, app, says) -> None:
    with pytest.raises(ConfigError, match=says) as refused:
        put(values, app=app)

    assert "line" not in str(refused.value)


def test_an_array_that_is_written_inline_is_left_alone(put) -> None:
    inline = 'override = [{app = "steam:570", max_fps = 60}]\n'

    with pytest.raises(ConfigError, match=r"\[\[override\]\]"):
        put({"max_fps": 30}, app="steam:570", text=inline)


def test_hostile_names_stay_one_string(put) -> None:
    app = 'x:"]\n[host]\nname = "y'

    assert own_values(put({"max_fps": 30}, app=app).settings, app) == {"max_fps": 30}
