"""Arrays of tables in `config.toml`: `[[hook]]` and `[[webhook]]`."""

import json
from pathlib import Path

import pytest

from punktfunk.config import LoadedConfig, load_config
from punktfunk.config.catalogue import ENTRIES, KNOWN_IN_ENTRIES
from punktfunk.config.report import config_as_json, config_as_text
from punktfunk.config.settings import HookSettings, Settings, WebhookSettings
from punktfunk.config.web_addresses import is_web_address, without_path
from punktfunk.errors import ConfigError

TEXT = """
[[hook]]
on = ["session.*", "client.paired"]
command = ["notify-send", "hello"]

[host]
base_port = 2000

[[hook]]
on = ["*"]
command = ["true"]
timeout_s = 3
[[webhook]]
on = ["host.stopping"]
url = "https://tv.example:8123/api/webhook/s3cret"
"""


def load(folder: Path, text: str, **environment: str) -> LoadedConfig:
    file = folder / "config.toml"
    file.write_text(text)
    file.chmod(0o600)
    return load_config(folder, environment=environment)


def test_entries_become_settings_in_the_order_of_the_file(tmp_path: Path) -> None:
    settings = load(tmp_path, TEXT).settings

    assert [hook.command for hook in settings.hook] == [("notify-send", "hello"), ("true",)]
    assert [hook.timeout_s for hook in settings.hook] == [10, 3]
    assert settings.hook[0].on == ("session.*", "client.paired")
    assert settings.webhook[0].url.endswith("s3cret")
    assert settings.host.base_port == 2000


def test_every_value_of_an_entry_knows_where_it_came_from(tmp_path: Path) -> None:
    origins = load(tmp_path, TEXT).origins

    assert str(origins["hook[0].command"]) == "config.toml line 4"
    assert str(origins["hook[1].timeout_s"]) == "config.toml line 12"
    assert str(origins["hook[0].timeout_s"]) == "default"
    assert str(origins["webhook[0].url"]) == "config.toml line 15"
    assert str(origins["host.base_port"]) == "config.toml line 7"


def test_the_report_has_them_and_hides_what_is_as_good_as_a_password(tmp_path: Path) -> None:
    loaded = load(tmp_path, TEXT)

    text = config_as_text(loaded)
    plain = json.dumps(config_as_json(loaded))

    assert text.count("[[hook]]") == 2
    assert 'url = "https://tv.example:8123/…"  # config.toml line 15' in text
    assert "hook[1].timeout_s" in plain
    assert "s3cret" not in text + plain


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[hook]\non = 1", "line 1: hook must be written [[hook]]"),
        ("hook = 3", "line 1: hook must be written [[hook]]"),
        ("hook = [1]", "line 1: hook must be written [[hook]]"),
        ("[[hok]]", "line 1: hok: no such setting (did you mean hook?)"),
        ("\n[[hook]]\non = ['*']", "line 2: hook[0].command is missing"),
        ("hook = [{on = ['*']}]", "line 1: hook[0].command is missing"),
        (
            "[[hook]]\non=['*']\ncommand=['x']\n[[hook]]\ncomand = ['x']",
            "line 5: hook[1].comand: no such setting (did you mean hook.command?)",
        ),
        (
            "[[hook]]\non = ['session.start']",
            "line 2: hook[0].on must be a list of events, such as session.started or stream.*, "
            "not ['session.start']",
        ),
        ("[[hook]]\non = []", "line 2: hook[0].on must be a list of events"),
        ("[[hook]]\non = '*'", "line 2: hook[0].on must be a list of events"),
        ("[[hook]]\non = ['*']\ncommand = 'rm -rf'", "the program first, not 'rm -rf'"),
        ("[[hook]]\non = ['*']\ncommand = []", "line 3: hook[0].command must be a list"),
        ("[[hook]]\non = ['*']\ncommand = ['']", "line 3: hook[0].command must be a list"),
        ('[[hook]]\non = ["*"]\ncommand = ["a\\u0000"]', "hook[0].command must be a list"),
        ("[[hook]]\ntimeout_s = 0", "must be a whole number from 1 to 600, not 0"),
        ("[[webhook]]\nurl = 3", "without user, password and fragment, not 3"),
        ("[[hook]]\n" * 33, "line 33: more than 32 of [[hook]]"),
    ],
)
def test_a_mistake_is_one_line_that_names_its_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)

    message = str(caught.value)
    assert message.startswith(str(tmp_path / "config.toml"))
    assert says in message
    assert "\n" not in message


def test_a_wrong_address_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, '[[webhook]]\nurl = "https://me:s3cret@tv.example"')

    assert "line 2: webhook[0].url must be" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_the_environment_has_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"HOOK__COMMAND: \[\[hook\]\] can only be in the file"):
        load(tmp_path, "", PUNKTFUNK_HOOK__COMMAND="x")


def test_settings_made_in_code_obey_the_same_rules() -> None:
    with pytest.raises(ValueError, match="on must be a list of events"):
        HookSettings(on=("nothing",), command=("true",))
    with pytest.raises(ValueError, match="url must be"):
        WebhookSettings(on=("*",), url="ftp://x")
    assert Settings(hook=[]).hook == ()


def test_every_setting_of_an_entry_has_words_for_people() -> None:
    assert set(ENTRIES) == {"hook", "webhook", "override", "prep"}
    for known in KNOWN_IN_ENTRIES.values():
        assert known.doc
        assert known.rule.expects
        assert known.required or known.default is None or known.rule.accepts(known.default)


@pytest.mark.parametrize(
    "text",
    [
        "http://a",
        "https://a.b:8443/x?y=z",
        "http://192.168.1.5:8123/api/webhook/x",
        "http://[::1]/",
    ],
)
def test_a_web_address_is_one(text: str) -> None:
    assert is_web_address(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "//a", "http:", "http://", "http:///x", "https://:1", "ftp://a", "file:///x"),
        *(
            "http://a:0",
            "http://a:65536",
            "http://a:x",
            "http://u@a",
            "http://u:p@a",
            "http://a/#f",
        ),
        *(
            "http://a b",
            "http://a/\r\nX: y",
            "http://a/\x00",
            "http://ä",
            "http://a%20b",
            "http://[::1",
        ),
        *(
            "http://[fe80::1%25lo]/",
            "http://a\\b",
            "javascript:alert(1)",
            "http://a/" + "x" * 2_000,
        ),
    ],
)
def test_anything_else_is_not(text: str) -> None:
    assert not is_web_address(text)
    assert without_path(text) == "…"
