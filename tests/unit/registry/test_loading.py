import sys
from collections.abc import Callable

import pytest

from punktfunk.drivers.encode import EncodeDriver
from punktfunk.errors import DriverUnavailable
from punktfunk.model.offers import Kind
from punktfunk.registry.discovery import PluginFilter, PluginState
from punktfunk.registry.loading import load_driver, load_plugins

Install = Callable[..., None]

PLUGIN = """
    from punktfunk.plugin import Manifest

    manifest = Manifest(api=1, title="{title}")
"""
DRIVERS = """
    from punktfunk.plugin import EncodeDriver, EncodedFrame

    class Encoder(EncodeDriver):
        def open(self, params): pass
        def encode(self, frame, *, keyframe=False): return EncodedFrame
        def set_bitrate(self, bitrate_kbps): pass
        def close(self): pass

    class Unfinished(EncodeDriver):
        pass

    class Picky(Encoder):
        def __init__(self, settings=()):
            raise ValueError("no such preset")

    NOT_A_DRIVER = dict
"""


def only(*names: str) -> PluginFilter:
    return PluginFilter(allow=frozenset(names))


@pytest.fixture
def drivers(install: Install) -> None:
    targets = {
        "ex_good": "ex_drivers:Encoder",
        "ex_unfinished": "ex_drivers:Unfinished",
        "ex_picky": "ex_drivers:Picky",
        "ex_dict": "ex_drivers:NOT_A_DRIVER",
        "ex_gone": "ex_drivers:Gone",
        "ex_missing": "ex_no_such_module:Encoder",
    }
    install("ex-drivers", "ex_drivers", DRIVERS, {"punktfunk.encode": targets})


def test_a_plugin_is_found_the_moment_it_is_installed(install: Install) -> None:
    assert "ex_new" not in load_plugins(only("ex_new")).records

    install(
        "ex-new", "ex_new", PLUGIN.format(title="New"), {"punktfunk.plugins": {"ex_new": "ex_new"}}
    )

    record = load_plugins(only("ex_new")).records["ex_new"]
    assert (record.state, record.title, record.api) == (PluginState.LOADED, "New", 1)
    assert (record.distribution, record.version) == ("ex-new", "1.0.0")


def test_a_plugin_that_is_not_allowed_is_recorded_but_not_imported(install: Install) -> None:
    install(
        "ex-off", "ex_off", PLUGIN.format(title="Off"), {"punktfunk.plugins": {"ex_off": "ex_off"}}
    )

    record = load_plugins(only("something_else")).records["ex_off"]

    assert record.state is PluginState.DISABLED
    assert record.reason == "not among the plugins that the configuration allows"
    assert "ex_off" not in sys.modules


def test_a_denied_plugin_stays_out_even_when_it_is_allowed(install: Install) -> None:
    install(
        "ex-off", "ex_off", PLUGIN.format(title="Off"), {"punktfunk.plugins": {"ex_off": "ex_off"}}
    )
    wanted = PluginFilter(allow=frozenset({"ex_off"}), deny=frozenset({"ex_off"}))

    record = load_plugins(wanted).records["ex_off"]

    assert (record.state, record.reason) == (
        PluginState.DISABLED,
        "disabled in the configuration",
    )
    assert "ex_off" not in sys.modules


def test_a_name_that_is_taken_goes_to_one_and_the_other_is_recorded(install: Install) -> None:
    for distribution, module in (("ex-zebra", "ex_zebra"), ("ex-ape", "ex_ape")):
        install(
            distribution,
            module,
            PLUGIN.format(title=module),
            {"punktfunk.plugins": {"ex_same": module}},
        )

    plugins = load_plugins(only("ex_same"))

    assert plugins.records["ex_same"].distribution == "ex-ape"
    assert [(record.distribution, record.state) for record in plugins.shadowed] == [
        ("ex-zebra", PluginState.BROKEN)
    ]
    assert "ex_zebra" not in sys.modules


def test_nobody_can_take_the_place_of_the_core(install: Install) -> None:
    install(
        "aaa-evil",
        "ex_evil",
        PLUGIN.format(title="Evil"),
        {
            "punktfunk.plugins": {"builtin": "ex_evil"},
            "punktfunk.encode": {"software": "ex_evil:E"},
        },
    )

    plugins = load_plugins(only("nothing"))

    assert plugins.records["builtin"].distribution == "punktfunk"
    assert [record.distribution for record in plugins.shadowed] == ["aaa-evil"]


def test_a_driver_gets_its_settings(drivers: None) -> None:
    driver = load_driver(Kind.ENCODE, "ex_good", {"preset": "fast"})

    assert isinstance(driver, EncodeDriver)
    assert driver.settings == {"preset": "fast"}


def test_an_unknown_driver_is_refused_with_the_names_that_exist(drivers: None) -> None:
    with pytest.raises(DriverUnavailable) as caught:
        load_driver(Kind.ENCODE, "ex_goof", {})

    assert caught.value.driver == "ex_goof"
    assert caught.value.reason == "no encode driver of that name is installed"
    assert "ex_good" in caught.value.available


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ex_missing", "cannot be imported: ModuleNotFoundError: No module named"),
        ("ex_gone", "cannot be imported: AttributeError:"),
        ("ex_dict", "its entry point is not a subclass of EncodeDriver"),
        ("ex_unfinished", "cannot be constructed: TypeError: Can't instantiate abstract class"),
        ("ex_picky", "cannot be constructed: ValueError: no such preset"),
    ],
)
def test_a_driver_that_cannot_be_had_says_why(drivers: None, name: str, reason: str) -> None:
    with pytest.raises(DriverUnavailable) as caught:
        load_driver(Kind.ENCODE, name, {})

    assert caught.value.reason.startswith(reason)


def test_a_driver_is_only_found_under_its_own_kind(drivers: None) -> None:
    with pytest.raises(DriverUnavailable):
        load_driver(Kind.CAPTURE, "ex_good", {})
