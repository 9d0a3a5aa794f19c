"""What a session's programs mounted in its folder: real mounts in a mount namespace."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from punktfunk.journal import make_directory
from punktfunk.journal.mounts import take_down_mounts

UNDO = """
import os, sys
from pathlib import Path
from punktfunk.errors import LeftAlone
from punktfunk.journal import directory, undo_core_effect
if "helpless" in sys.argv:
    os.environ["PATH"] = "/nowhere"
try:
    print(undo_core_effect(directory(Path(sys.argv[1]), "seat-1")))
except LeftAlone as error:
    print(error)
"""
DEAD = """
import ctypes, os, sys
connection = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={connection},rootmode=40000,user_id=0,group_id=0".encode()
if ctypes.CDLL(None).mount(b"portal", sys.argv[1].encode(), b"fuse.portal", 0, options):
    sys.exit("no FUSE here")
"""


def in_a_namespace(script, *words):
    argv = ["unshare", "-rm", "/bin/sh", "-e", "-c", script, "sh", *map(str, words)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=120)


@pytest.fixture
def folder(tmp_path) -> Path:
    if shutil.which("unshare") is None or in_a_namespace("true").returncode:
        pytest.skip("no mount namespace can be made here")
    folder = tmp_path / "seat one"
    make_directory(folder, "seat-1")
    (folder / "log").mkdir()
    (folder / "log" / "app.log").write_text("x")
    (folder / "run" / "doc").mkdir(parents=True)
    return folder


@pytest.mark.parametrize("how", ["helped", "helpless"])
def test_nothing_is_removed_through_a_mount(folder, tmp_path, how):
    """A bind mount: it is on the same device. Only root's fusermount takes it down."""
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "thesis").write_text("years of work")

    script = 'mount --bind "$1" "$2/run/doc"; exec "$3" -c "$4" "$2" "$5"'
    done = in_a_namespace(script, documents, folder, sys.executable, UNDO, how)

    assert (documents / "thesis").read_text() == "years of work"
    if how == "helped":
        assert done.stdout, done.stderr
        return
    assert f"{folder}/run/doc is a mount that could not be taken down" in done.stdout, done.stderr
    assert sorted(it.name for it in folder.iterdir()) == [".punktfunk-seat", "run"]


def test_a_mount_whose_program_is_gone_is_taken_down(folder):
    if shutil.which("fusermount3") is None and shutil.which("fusermount") is None:
        pytest.skip("no fusermount here")

    script = (
        '"$2" -c "$4" "$1/run/doc" || exit 9\n'
        'if ls "$1/run/doc"; then exit 8; fi\nexec "$2" -c "$3" "$1"'
    )
    done = in_a_namespace(script, folder, sys.executable, UNDO, DEAD)
    if done.returncode == 9:
        pytest.skip(done.stderr)

    assert done.stdout == "True\n", done.stderr
    assert not folder.exists()


def test_a_folder_without_mounts_has_none_to_take_down(tmp_path):
    assert take_down_mounts(tmp_path) == []
