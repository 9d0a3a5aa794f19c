import os
from pathlib import Path

import punktfunk_capture_x11 as plugin
import pytest

from punktfunk.plugin import HostFacts, Kind


def facts(path: str, **settings: object) -> HostFacts:
    return HostFacts(environment={"PATH": path}, settings={"x11": settings})


def install(folder: Path, *names: str) -> None:
    for name in names:
        program = folder / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)


def test_a_machine_without_an_x_server_gets_a_reason_and_a_hint(tmp_path) -> None:
    offer, _ = plugin.compositor_offers(host=facts(str(tmp_path)))

    assert offer.kind is Kind.COMPOSITOR
    assert not offer.availability.available
    assert offer.availability.reason == "Xvfb is not installed"
    assert offer.availability.hint == "apt install xvfb openbox"


def test_a_machine_without_a_window_manager_is_told_what_it_lacks(tmp_path) -> None:
    install(tmp_path, "Xvfb")

    offer, _ = plugin.compositor_offers(host=facts(str(tmp_path)))

    assert offer.availability.available
    assert "openbox" in offer.availability.reason


def test_a_chosen_window_manager_needs_no_openbox(tmp_path) -> None:
    install(tmp_path, "Xvfb")

    offer, _ = plugin.compositor_offers(host=facts(str(tmp_path), window_manager=["icewm"]))

    assert offer.availability.reason == "Xvfb"


@pytest.mark.parametrize("hook", [plugin.compositor_offers, plugin.capture_offers])
def test_a_machine_without_the_libraries_gets_a_reason_and_a_hint(
    tmp_path, monkeypatch, hook
) -> None:
    install(tmp_path, "Xvfb")
    monkeypatch.setattr("punktfunk_capture_x11.probe._LIBRARIES", ("libnobody-has.so.7",))

    offer, *_ = hook(host=facts(str(tmp_path)))

    assert offer.availability.reason == "the library libnobody-has.so.7 is not installed"
    assert offer.availability.hint.startswith("apt install")


def test_it_goes_behind_a_desktop_of_wayland_programs() -> None:
    offer, _ = plugin.compositor_offers(host=facts(os.environ["PATH"]))

    assert 0 < offer.rank < 50


def test_capture_and_input_work_on_its_own_compositor_only() -> None:
    host = facts(os.environ["PATH"])

    offers = [*plugin.capture_offers(host=host), *plugin.input_offers(host=host)]

    assert {offer.compositors for offer in offers} == {frozenset({"x11"})}


def test_input_promises_no_touch_no_pen_and_no_pads() -> None:
    (offer,) = plugin.input_offers(host=facts(os.environ["PATH"]))

    assert offer.features == {"pointer", "keyboard", "text"}


def test_every_setting_has_a_meaning_and_a_default_of_its_type() -> None:
    for setting in plugin.manifest.settings:
        assert setting.doc
        assert isinstance(setting.default, setting.type)


def test_the_readme_shows_every_setting() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()

    for setting in plugin.manifest.settings:
        assert f"\n{setting.name} = " in readme
