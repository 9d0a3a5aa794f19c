import pytest

from punktfunk.errors import ConfigError
from punktfunk.model.plugins import Manifest, Setting
from punktfunk.registry.settings import plugin_settings

MANIFEST = Manifest(
    api=1,
    title="Example",
    settings=(
        Setting(name="preset", type=str, default="fast", doc="How fast."),
        Setting(name="threads", type=int, default=0, doc="How many."),
        Setting(name="scale", type=float, default=1.0, doc="How big."),
        Setting(name="strict", type=bool, default=False, doc="How strict."),
        Setting(name="extra", type=list, default=[], doc="What else."),
    ),
)


def test_absent_keys_get_their_defaults() -> None:
    settings = plugin_settings(MANIFEST, {"threads": 4})

    assert settings == {
        "preset": "fast",
        "threads": 4,
        "scale": 1.0,
        "strict": False,
        "extra": [],
    }


def test_a_table_that_was_filled_in_can_be_filled_in_again() -> None:
    once = plugin_settings(MANIFEST, {"preset": "slow"})

    assert plugin_settings(MANIFEST, once) == once


def test_a_whole_number_will_do_for_a_float() -> None:
    assert plugin_settings(MANIFEST, {"scale": 2})["scale"] == 2


@pytest.mark.parametrize(
    ("table", "line"),
    [
        (
            {"presett": "slow"},
            "[plugin.example] presett: no such setting "
            "(known: extra, preset, scale, strict, threads)",
        ),
        ({"preset": 3}, "[plugin.example] preset: must be a string, not 3"),
        ({"threads": "4"}, "[plugin.example] threads: must be a whole number, not '4'"),
        ({"threads": True}, "[plugin.example] threads: must be a whole number, not True"),
        ({"scale": False}, "[plugin.example] scale: must be a number, not False"),
        ({"strict": 1}, "[plugin.example] strict: must be true or false, not 1"),
        ({"extra": "-v"}, "[plugin.example] extra: must be a list of strings"),
        ({"extra": ["-v", 1]}, "[plugin.example] extra: must be a list of strings"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(table: dict[str, object], line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plugin_settings(MANIFEST, table, name="example")

    assert str(caught.value) == line
