import stat

import pytest

from punktfunk.errors import ConfigError, StateDamaged
from punktfunk.trust.token import TOKEN_FILE, TokenFile, load_or_make_token, make_token


def test_the_token_is_made_once_in_a_private_file(tmp_path) -> None:
    token = load_or_make_token(tmp_path)

    path = tmp_path / TOKEN_FILE
    assert path.read_text() == f"PUNKTFUNK_MGMT_TOKEN={token}\n"
    assert len(token) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_make_token(tmp_path) == token


def test_a_token_that_others_can_read_is_refused_without_being_shown(tmp_path) -> None:
    token = load_or_make_token(tmp_path)
    (tmp_path / TOKEN_FILE).chmod(0o644)

    with pytest.raises(ConfigError, match="0644") as refused:
        load_or_make_token(tmp_path)

    assert token not in str(refused.value)


@pytest.mark.parametrize("content", ["", "PUNKTFUNK_MGMT_TOKEN=\n", "PUNKTFUNK_MGMT_TOKEN=xyz\n"])
def test_a_damaged_token_is_not_replaced_in_silence(tmp_path, content: str) -> None:
    path = tmp_path / TOKEN_FILE
    path.write_text(content)
    path.chmod(0o600)

    with pytest.raises(StateDamaged, match=TOKEN_FILE):
        load_or_make_token(tmp_path)

    assert path.read_text() == content


def test_a_running_host_takes_a_new_token_at_once(tmp_path) -> None:
    file = TokenFile(tmp_path)
    first = file.current()

    second = make_token(tmp_path)

    assert first != second == file.current() == load_or_make_token(tmp_path)
    assert stat.S_IMODE((tmp_path / TOKEN_FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize("trouble", ["gone", "garbage", "readable by others", "a link"])
def test_a_file_of_no_use_locks_nobody_out_of_a_running_host(tmp_path, caplog, trouble) -> None:
    file, path = TokenFile(tmp_path), tmp_path / TOKEN_FILE
    token = file.current()
    if trouble == "gone":
        path.unlink()
    elif trouble == "garbage":
        path.write_text("x")
    elif trouble == "readable by others":
        make_token(tmp_path)
        path.chmod(0o644)
    else:
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")

    assert [file.current() for _ in range(3)] == [token] * 3
    assert len([it for it in caplog.records if it.levelname == "ERROR"]) == (trouble != "gone")
    assert token not in caplog.text
    assert make_token(tmp_path) == file.current() != token
