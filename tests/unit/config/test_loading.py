import os
from pathlib import Path

import pytest

from punktfunk.config import LoadedConfig, Source, load_config
from punktfunk.config.catalogue import KNOWN
from punktfunk.config.settings import HostSettings, Settings
from punktfunk.errors import ConfigError


def load(folder: Path, text: str | bytes | None = None, **more: object) -> LoadedConfig:
    if text is not None:
        file = folder / "config.toml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        file.chmod(0o600)
    return load_config(folder, **{"environment": {}, **more})


def refusal(folder: Path, text: str | bytes | None = None, **more: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, **more)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_without_a_file_everything_is_as_by_default(tmp_path: Path) -> None:
    loaded = load(tmp_path)

    assert loaded.settings == Settings()
    assert {origin.source for origin in loaded.origins.values()} == {Source.DEFAULT}
    assert loaded.warnings == ()


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    text = 'version = 1\n\n[host]\nname = "from file"\nbase_port = 2000\nbind = "127.0.0.1"\n'

    loaded = load(
        tmp_path,
        text,
        environment={"PUNKTFUNK_HOST__BASE_PORT": "3000", "PUNKTFUNK_HOST__BIND": "127.0.0.2"},
        flags={"host.bind": ("--bind", "127.0.0.3"), "host.log_level": ("--log-level", None)},
    )

    host = loaded.settings.host
    assert (host.name, host.base_port, host.bind) == ("from file", 3000, "127.0.0.3")
    assert str(loaded.origins["host.name"]) == "config.toml line 4"
    assert str(loaded.origins["host.base_port"]) == "environment PUNKTFUNK_HOST__BASE_PORT"
    assert str(loaded.origins["host.bind"]) == "flag --bind"
    assert str(loaded.origins["host.log_level"]) == "default"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "[host]\nbase_prot = 1",
            "line 2: host.base_prot: no such setting (did you mean host.base_port?)",
        ),
        ("[hots]\n", "line 1: hots: no such setting (did you mean host?)"),
        ("base_port = 1", "line 1: base_port: no such setting (did you mean host.base_port?)"),
        (
            '[host]\n\nbase_port = "x"',
            "line 3: host.base_port must be a whole number from 1029 to 65000, not 'x'",
        ),
        ("[host]\nbase_port = true", "must be a whole number from 1029 to 65000, not true"),
        ("[host]\nbase_port = 80", "must be a whole number from 1029 to 65000, not 80"),
        ("[host]\nbase_port = 48000.0", "must be a whole number from 1029 to 65000, not 48000.0"),
        ("[host]\nmdns = 1", "host.mdns must be true or false, not 1"),
        (
            '[host]\nbind = "localhost"',
            "host.bind must be an IP address, or empty, not 'localhost'",
        ),
        ('[host]\nname = "a\\u0000b"', "without control characters"),
        ('[host]\nlog_level = "loud"', "must be one of debug, info, warning, error, not 'loud'"),
        ("host = 3", "line 1: host must be a table, not 3"),
        ("[host]\nname = {a = 1}", "without control characters, not a table"),
        ('[mgmt]\nbind = "127.0.0.1"', "mgmt.bind must be ADDRESS:PORT"),
        (
            '[desktop]\ncommand = "sh -c true"',
            "desktop.command must be a list of strings, not 'sh -c true'",
        ),
        (
            '[stream]\ncodecs = ["h264", "vp9"]',
            "must be a list of strings, each one of h264, hevc, av1",
        ),
        ("[plugins]\nallow = [1]", "must be a list of strings, not [1]"),
        ("[plugin]\nx = 1", "plugin.x must be a table, not 1"),
        ("[plugin.x]\nday = 2026-01-01", "line 2: plugin.x.day must be no date or time"),
        (
            "version = 2",
            "line 1: it is of version 2, and this punktfunk knows version 1: update punktfunk",
        ),
        ("version = 'a'", "line 1: version must be 1"),
        ("[host]\nname = 'a'\nname = 'b'\n[mgmt]", "line 3: not valid TOML: a key is there twice"),
        ("[host]\n[mgmt]\n[host]\n", "line 3: not valid TOML: a table is there twice"),
        ("[host\n", "line 1: not valid TOML"),
        ("a = " + "[" * 100_000, "nested too deeply"),
        (b"# \n# \xff\xfe\n", "line 2: not UTF-8"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_place_and_what_is_expected(
    tmp_path: Path, text: str | bytes, says: str
) -> None:
    message = refusal(tmp_path, text)

    assert message.startswith(str(tmp_path / "config.toml"))
    assert says in message


def test_a_value_of_any_length_makes_a_short_message(tmp_path: Path) -> None:
    assert len(refusal(tmp_path, f'[host]\nlog_level = "{"x" * 100_000}"')) < 300


def test_a_file_of_100_megabytes_is_refused_without_being_read(tmp_path: Path) -> None:
    with (tmp_path / "config.toml").open("wb") as file:
        file.truncate(100_000_000)

    assert "is longer than 1,000,000 bytes" in refusal(tmp_path)


def test_something_that_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.toml")

    assert "is not a regular file" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"),
    [
        ("PUNKTFUNK_HOST__MDNS", "off", "host.mdns", False),
        ("PUNKTFUNK_HOST__MDNS", "True", "host.mdns", True),
        ("PUNKTFUNK_STREAM__MAX_SESSIONS", "3", "stream.max_sessions", 3),
        ("PUNKTFUNK_TEST_PATTERN__ENABLED", "no", "test_pattern.enabled", False),
        ("PUNKTFUNK_PLUGINS__DENY", "a, b", "plugins.deny", ("a", "b")),
        ("PUNKTFUNK_PLUGINS__DENY", "", "plugins.deny", ()),
        (
            "PUNKTFUNK_DESKTOP__COMMAND",
            '["sh", "-c", "a, b"]',
            "desktop.command",
            ("sh", "-c", "a, b"),
        ),
    ],
)
def test_the_environment_can_say_every_type(
    tmp_path: Path, variable: str, text: str, key: str, value: object
) -> None:
    loaded = load(tmp_path, environment={variable: text})

    section, _, name = key.partition(".")
    assert getattr(getattr(loaded.settings, section), name) == value
    assert loaded.origins[key].place == variable


@pytest.mark.parametrize(
    ("variable", "text", "says"),
    [
        ("PUNKTFUNK_HOST__BASE_PROT", "1", "no such setting (did you mean host.base_port?)"),
        ("PUNKTFUNK_HOST_BASE_PORT", "1", "for host.base_port write PUNKTFUNK_HOST__BASE_PORT"),
        (
            "PUNKTFUNK_HOST__BASE_PORT",
            "lots",
            "must be a whole number from 1029 to 65000, not 'lots'",
        ),
        ("PUNKTFUNK_HOST__BASE_PORT", "9" * 5_000, "must be a whole number"),
        ("PUNKTFUNK_HOST__MDNS", "maybe", "must be true or false, not 'maybe'"),
        ("PUNKTFUNK_DESKTOP__COMMAND", "[oops", "must be a list of strings"),
        ("PUNKTFUNK_PLUGIN__STEAM__ROOT", "x", "settings of plugins can only be in the file"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, variable: str, text: str, says: str) -> None:
    message = refusal(tmp_path, environment={variable: text})

    assert message.startswith(f"environment {variable}")
    assert says in message


def test_other_variables_are_none_of_our_business(tmp_path: Path) -> None:
    environment = {"PUNKTFUNK_CONFIG_DIR": "x", "PUNKTFUNK_MGMT_TOKEN": "y", "OTHER__NAME": "z"}

    assert load(tmp_path, environment=environment).settings == Settings()


def test_a_wrong_flag_is_named(tmp_path: Path) -> None:
    message = refusal(tmp_path, flags={"mgmt.bind": ("--mgmt-bind", "nonsense")})

    assert message.startswith("--mgmt-bind must be ADDRESS:PORT")


def test_a_plugins_table_is_kept_as_it_stands_and_an_absent_plugin_is_only_a_warning(
    tmp_path: Path,
) -> None:
    text = '[plugin.here]\npreset = "fast"\n\n[plugin.gone]\nwhatever = [1, 2]\n'

    loaded = load(tmp_path, text, plugins={"here"})

    assert loaded.settings.plugin == {"here": {"preset": "fast"}, "gone": {"whatever": [1, 2]}}
    (warning,) = loaded.warnings
    assert "line 4: [plugin.gone]: no such plugin is installed" in warning


def test_a_file_that_others_can_change_is_a_warning(tmp_path: Path) -> None:
    load(tmp_path, "[host]\n")
    (tmp_path / "config.toml").chmod(0o666)

    (warning,) = load(tmp_path).warnings

    assert "can be changed by other users" in warning


def test_text_in_a_multi_line_string_is_not_taken_for_a_key(tmp_path: Path) -> None:
    text = '[plugin.x]\ntext = """\n[host]\nbase_port = 1\n"""\n[host]\nbase_port = 2000\n'

    assert str(load(tmp_path, text).origins["host.base_port"]) == "config.toml line 7"


def test_settings_made_in_code_obey_the_same_rules() -> None:
    with pytest.raises(ValueError, match="base_port must be a whole number"):
        HostSettings(base_port=1)


def test_every_setting_has_words_for_people() -> None:
    assert all(known.doc and known.rule.expects for known in KNOWN.values())
    assert all(known.rule.accepts(known.default) for known in KNOWN.values())
