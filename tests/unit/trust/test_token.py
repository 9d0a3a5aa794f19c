import stat

import pytest

from punktfunk.errors import ConfigError, StateDamaged
from punktfunk.trust.token import TOKEN_FILE, load_or_make_token


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
