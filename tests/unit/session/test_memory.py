import json
import stat
from pathlib import Path

import pytest

from punktfunk.errors import ConfigError, StateDamaged
from punktfunk.session.memory import Memory


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "memory"


def test_what_is_remembered_is_known_later(folder):
    Memory(folder).remember("portal", {"gnome": "a", "kde": "b"})

    assert Memory(folder).recall("portal") == {"gnome": "a", "kde": "b"}
    assert Memory(folder).recall("another") == {}


def test_nobody_else_can_read_it(folder):
    Memory(folder).remember("portal", {"gnome": "a"})

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "portal.json").stat().st_mode) == 0o600
    (folder / "portal.json").chmod(0o644)
    with pytest.raises(ConfigError, match="can be read or changed by others"):
        Memory(folder).recall("portal")


def test_what_is_forgotten_leaves_no_file(folder):
    memory = Memory(folder)
    memory.remember("portal", {"gnome": "a"})

    memory.remember("portal", {})
    memory.remember("portal", {})

    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"values": {}}',
        json.dumps({"version": 2, "values": {}}),
        json.dumps({"version": 1, "values": {"gnome": 7}}),
        json.dumps({"version": 1, "values": ["topsecret"]}),
        "topsecret" * 100_000,
    ],
)
def test_a_damaged_file_names_itself_and_not_what_it_holds(folder, text):
    folder.mkdir()
    path = folder / "portal.json"
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(StateDamaged, match=str(path)) as caught:
        Memory(folder).recall("portal")

    assert "topsecret" not in str(caught.value)
    assert caught.value.__cause__ is None
    Memory(folder).remember("portal", {"gnome": "a"})
    assert Memory(folder).recall("portal") == {"gnome": "a"}


def test_a_name_is_no_path(folder):
    with pytest.raises(ValueError, match="not a name"):
        Memory(folder).remember("../portal", {"gnome": "a"})
