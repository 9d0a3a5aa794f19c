from pathlib import Path

import pytest

from punktfunk.config.addresses import parse_bind
from punktfunk.config.folder import config_folder
from punktfunk.config.loading import load_config
from punktfunk.config.report import config_as_json, config_as_text


def test_the_folder_is_looked_for_in_one_order() -> None:
    home = Path("~/.config").expanduser() / "punktfunk"
    everything = {"PUNKTFUNK_CONFIG_DIR": "/v", "XDG_CONFIG_HOME": "/x"}

    assert config_folder("/flag", everything) == Path("/flag")
    assert config_folder(None, everything) == Path("/v")
    assert config_folder(None, {"XDG_CONFIG_HOME": "/x"}) == Path("/x/punktfunk")
    assert config_folder(None, {"XDG_CONFIG_HOME": "relative"}) == home
    assert config_folder(None, {}) == home


def test_a_relative_folder_becomes_absolute() -> None:
    assert config_folder("here", {}) == Path.cwd() / "here"


@pytest.mark.parametrize(
    ("text", "address", "port", "loopback"),
    [
        ("127.0.0.1:47990", "127.0.0.1", 47990, True),
        ("localhost:0", "127.0.0.1", 0, True),
        ("[::1]:1", "::1", 1, True),
        ("[::]:65535", "::", 65535, False),
        ("192.168.1.5:80", "192.168.1.5", 80, False),
    ],
)
def test_an_address_with_a_port_is_read(text: str, address: str, port: int, loopback: bool) -> None:
    bind = parse_bind(text)

    assert (str(bind.address), bind.port, bind.is_loopback) == (address, port, loopback)
    assert parse_bind(str(bind)) == bind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1",
        ":47990",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "::1:1",
        "[127.0.0.1]:1",
        "example.org:80",
        "127.0.0.1:-1",
        "127.0.0.1:٣",
        "[::1",
        "1.2.3.4:5:6",
    ],
)
def test_anything_else_is_no_address_with_a_port(text: str) -> None:
    with pytest.raises(ValueError):
        parse_bind(text)


def test_the_report_shows_value_origin_and_doc(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[host]\nname = "box"\n[plugin.x]\na = 1\n')
    loaded = load_config(tmp_path, environment={})

    text, plain = config_as_text(loaded), config_as_json(loaded)

    assert 'name = "box"  # config.toml line 2: Name shown to clients' in text
    assert "mdns = true  # default:" in text
    (name,) = (entry for entry in plain["settings"] if entry["key"] == "host.name")
    assert (name["value"], name["default"], name["source"]) == ("box", "", "file")
    assert plain["plugin"] == {"x": {"a": 1}}
