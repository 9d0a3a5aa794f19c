import os
import stat

import pytest

from punktfunk.errors import ConfigError, StateDamaged
from punktfunk.trust.files import (
    backup_of,
    make_private_folder,
    read_private,
    write_atomically,
    write_with_backup,
)


def test_files_and_folders_are_for_their_owner_only(tmp_path) -> None:
    folder = tmp_path / "a" / "b"
    make_private_folder(folder)
    write_with_backup(folder / "x", b"1")
    write_with_backup(folder / "x", b"2")

    modes = [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()]

    assert modes == [0o600, 0o600]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_open_folder_is_closed(tmp_path) -> None:
    tmp_path.chmod(0o755)

    make_private_folder(tmp_path)

    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_the_backup_is_what_was_there_before(tmp_path) -> None:
    path = tmp_path / "x"
    for data in (b"1", b"2", b"3"):
        write_with_backup(path, data)

    assert path.read_bytes() == b"3"
    assert backup_of(path).read_bytes() == b"2"


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path) -> None:
    path = tmp_path / "x"
    path.mkdir()

    with pytest.raises(OSError):
        write_atomically(path, b"new")

    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o660])
def test_a_secret_that_others_can_reach_is_refused(tmp_path, mode: int) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"hunter2")
    path.chmod(mode)

    with pytest.raises(ConfigError, match="chmod 600") as refused:
        read_private(path, 100)

    assert "hunter2" not in str(refused.value)


def test_only_plain_files_of_sensible_size_are_read(tmp_path) -> None:
    big, link, pipe = tmp_path / "big", tmp_path / "link", tmp_path / "pipe"
    write_atomically(big, bytes(101))
    link.symlink_to(big)
    os.mkfifo(pipe, 0o600)

    with pytest.raises(StateDamaged, match="too long"):
        read_private(big, 100)
    with pytest.raises(ConfigError):
        read_private(link, 1_000)
    with pytest.raises(ConfigError, match="regular"):
        read_private(pipe, 100)
