import os
import stat
from pathlib import Path

import punktfunk_capture_kwin as plugin
import pytest
from punktfunk_capture_kwin import probe

from punktfunk.plugin import Availability, HostFacts, Kind

PROGRAMS = ("kwin_wayland", "pipewire", "wireplumber")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A PATH of made-up programs; KWin says what the test wants it to say."""
    monkeypatch.setattr(probe, "pipewire_availability", Availability.yes)

    def make(says: str = "echo kwin 5.27.5", without: str = "", **facts: object) -> HostFacts:
        for name in set(PROGRAMS) - {without}:
            program = tmp_path / name
            program.write_text(f"#!/bin/sh\n{says}\n")
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return HostFacts(environment={"PATH": str(tmp_path)}, **facts)

    return make


def availability(host: HostFacts, *, attaches: bool = False) -> Availability:
    own, attached = plugin.compositor_offers(host=host)
    assert own.kind is attached.kind is Kind.COMPOSITOR
    assert (own.attaches, attached.attaches) == (False, True)
    return (attached if attaches else own).availability


def test_a_machine_without_kwin_gets_a_reason_and_a_hint(machine) -> None:
    found = availability(machine(without="kwin_wayland"))

    assert found.reason == "kwin_wayland is not installed"
    assert found.hint == "apt install kwin-wayland kwin-common"


@pytest.mark.parametrize("name", ["pipewire", "wireplumber"])
def test_a_machine_without_pipewire_gets_a_reason_and_a_hint(machine, name: str) -> None:
    found = availability(machine(without=name))

    assert found.reason == f"{name} not installed"
    assert "apt install" in found.hint


def test_kwin_5_is_offered_with_what_it_cannot(machine) -> None:
    found = availability(machine())

    assert found.available
    assert found.reason == "KWin 5.27: shows the window in front, not the whole screen"


def test_an_old_kwin_is_refused(machine) -> None:
    assert "KWin 5.24 is too old" in availability(machine("echo kwin 5.24.4")).reason


def test_kwin_6_needs_a_gpu(machine) -> None:
    found = availability(machine("echo kwin 6.3.6"))

    assert not found.available
    assert "no render node" in found.reason
    assert "render" in found.hint


def test_kwin_6_with_a_gpu_is_offered(machine) -> None:
    found = availability(machine("echo kwin 6.3.6", render_nodes=("/dev/dri/renderD128",)))

    assert found == Availability.yes("KWin 6.3")


def test_a_kwin_that_does_not_run_is_refused(machine) -> None:
    assert "does not run" in availability(machine("exit 3")).reason


def test_attaching_without_a_session_gets_a_reason_and_a_hint(machine, tmp_path) -> None:
    machine()

    found = availability(HostFacts(environment={"XDG_RUNTIME_DIR": str(tmp_path)}), attaches=True)

    assert "no Plasma session" in found.reason
    assert "log in to Plasma" in found.hint


def test_wlroots_is_asked_first() -> None:
    offers = plugin.compositor_offers(host=HostFacts(environment={"PATH": ""}))

    assert {offer.rank < 50 for offer in offers} == {True}


def test_capture_and_input_work_on_its_own_compositor_only() -> None:
    host = HostFacts(environment={"PATH": os.environ["PATH"]})

    offers = [*plugin.capture_offers(host=host), *plugin.input_offers(host=host)]

    assert {offer.compositors for offer in offers} == {frozenset({"kwin"})}


def test_every_setting_has_a_meaning_and_a_default_of_its_type() -> None:
    for setting in plugin.manifest.settings:
        assert setting.doc
        assert isinstance(setting.default, setting.type)


def test_the_readme_shows_every_setting() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()

    for setting in plugin.manifest.settings:
        assert f"\n{setting.name} = " in readme
