"""Changes by a program leave a person's file a person's file."""

import errno
import stat
from pathlib import Path

import pytest

from punktfunk.config import LoadedConfig, editing, load_config
from punktfunk.config.editing import ConfigChange, difference
from punktfunk.errors import ConfigError
from punktfunk.trust.files import write_with_backup

TEXT = """# mine, do not touch
[stream]
max_fps = 144  # the TV can do it

[plugin.roms]
folders = ["~/ROMs"]
"""


def edit_config(loaded: LoadedConfig, changes, unset) -> LoadedConfig:
    return editing.edit_config(
        loaded, changes, unset, check=lambda settings: None, write=write_with_backup
    )


@pytest.fixture
def load(tmp_path: Path):
    def from_text(text: str = TEXT, **environment: str) -> LoadedConfig:
        (tmp_path / "config.toml").write_text(text)
        return load_config(tmp_path, environment=environment)

    return from_text


def test_a_change_leaves_everything_else_as_it_was(load) -> None:
    before = load()

    after = edit_config(before, {"stream.max_fps": 60, "desktop.command": ["foot"]}, [])

    assert before.file.read_text() == TEXT.replace("144", "60") + (
        '\n[desktop]\ncommand = ["foot"]\n'
    )
    assert (after.settings.stream.max_fps, after.settings.desktop.command) == (60, ("foot",))
    assert stat.S_IMODE(before.file.stat().st_mode) == 0o600
    assert before.file.with_name("config.toml.bak").read_text() == TEXT


def test_what_is_taken_out_has_its_default_again(load) -> None:
    after = edit_config(load(), {}, ["stream.max_fps", "stream.max_width", "nothing.here"])

    assert after.settings.stream.max_fps == 240
    assert "max_fps" not in after.file.read_text()


def test_without_a_file_one_is_made(load, tmp_path: Path) -> None:
    loaded = load_config(tmp_path, environment={})

    edit_config(loaded, {"stream.max_fps": 30}, [])

    assert loaded.file.read_text() == "[stream]\nmax_fps = 30\n"


def test_an_array_of_tables_is_replaced_as_a_whole(load) -> None:
    hook = {"on": ["session.*"], "command": ["notify-send", "punktfunk"]}
    after = edit_config(load(), {"hook": [hook, hook]}, [])
    assert len(after.settings.hook) == 2

    after = edit_config(after, {"hook": [hook]}, [])

    assert [it.command for it in after.settings.hook] == [("notify-send", "punktfunk")]
    assert after.file.read_text().count("[[hook]]") == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"stream.max_fps": 0}, "stream.max_fps must be a whole number"),
        ({"stream.max_fsp": 60}, "no such setting"),
        ({"max_fps": 60}, "a setting is named section.name"),
        ({"stream.": 60}, "a setting is named section.name"),
        ({"stream.max_fps.deeper": 60}, "cannot be changed"),
        ({"hook": {"on": []}}, "hook must be a list of tables"),
        ({"hook": [{"on": ["session.*"]}]}, "hook[0].command is missing"),
        ({"stream.max_fps": None}, "cannot be changed"),
        ({"plugin.roms": 3}, "must be a table"),
    ],
)
def test_a_change_that_is_none_changes_nothing(load, changes, says) -> None:
    loaded = load()

    with pytest.raises(ConfigError) as caught:
        edit_config(loaded, {"desktop.enabled": False, **changes}, [])

    assert says in str(caught.value)
    assert " line " not in str(caught.value)
    assert loaded.file.read_text() == TEXT
    assert not loaded.file.with_name("config.toml.bak").exists()


def test_a_link_stays_a_link(load, tmp_path: Path) -> None:
    loaded = load()
    dotfiles = tmp_path / "dotfiles.toml"
    loaded.file.rename(dotfiles)
    loaded.file.symlink_to(dotfiles)

    edit_config(loaded, {"stream.max_fps": 60}, [])

    assert loaded.file.is_symlink()
    assert "max_fps = 60" in dotfiles.read_text()


def test_a_file_that_cannot_be_written_is_an_error_and_stays(load) -> None:
    loaded = load()

    def refuse(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        editing.edit_config(
            loaded, {"stream.max_fps": 60}, [], check=lambda settings: None, write=refuse
        )
    assert loaded.file.read_text() == TEXT


def test_the_difference_says_what_needs_a_new_start_and_what_does_not_count(load) -> None:
    before = load(PUNKTFUNK_STREAM__MAX_HEIGHT="1080")

    after = edit_config(
        before, {"stream.max_fps": 60, "stream.max_height": 720, "host.name": "TV"}, []
    )

    assert difference(before, after) == ConfigChange(
        changed=("host.name", "stream.max_fps"),
        restart_required=("host.name",),
        overridden=("stream.max_height",),
    )


def test_only_keys_that_were_touched_are_told_to_be_overridden(load) -> None:
    before = load("[stream]\nmax_height = 720\n", PUNKTFUNK_STREAM__MAX_HEIGHT="1080")

    after = edit_config(before, {"stream.max_fps": 60}, [])

    assert difference(before, after, {"stream.max_fps"}).overridden == ()
    assert difference(before, after, {"stream.max_height"}).overridden == ("stream.max_height",)


def test_plugins_tables_need_a_new_start(load) -> None:
    before = load()

    after = edit_config(before, {"plugin.roms.folders": []}, [])

    assert difference(before, after).restart_required == ("plugin.roms",)
