import os
import stat
from pathlib import Path

import punktfunk_capture_mutter as plugin
import pytest
from punktfunk_capture_mutter import probe

from punktfunk.plugin import Availability, HostFacts, Kind

PROGRAMS = ("mutter", "gnome-shell", "dbus-daemon", "pipewire", "wireplumber")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A PATH of made-up programs; the desktop says what the test wants it to say."""
    monkeypatch.setattr(probe, "pipewire_availability", Availability.yes)

    def make(says: str = "echo mutter 43.8", without: str = "gnome-shell") -> HostFacts:
        for name in set(PROGRAMS) - set(without.split()):
            program = tmp_path / name
            program.write_text(f"#!/bin/sh\n{says}\n")
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return HostFacts(environment={"PATH": str(tmp_path)})

    return make


def availability(host: HostFacts, *, attaches: bool = False) -> Availability:
    own, attached = plugin.compositor_offers(host=host)
    assert own.kind is attached.kind is Kind.COMPOSITOR
    assert (own.attaches, attached.attaches) == (False, True)
    return (attached if attaches else own).availability


def test_a_machine_without_mutter_gets_a_reason_and_a_hint(machine) -> None:
    found = availability(machine(without="mutter gnome-shell"))

    assert found.reason == "gnome-shell or mutter is not installed"
    assert found.hint == "apt install mutter"


@pytest.mark.parametrize(
    ("name", "package"),
    [("pipewire", "pipewire"), ("wireplumber", "wireplumber"), ("dbus-daemon", "dbus")],
)
def test_a_machine_without_a_part_gets_a_reason_and_a_hint(machine, name, package) -> None:
    found = availability(machine(without=name))

    assert found.reason == f"{name} not installed"
    assert found.hint == f"apt install {package}"


def test_mutter_alone_is_offered(machine) -> None:
    assert availability(machine()) == Availability.yes("Mutter 43")


def test_gnome_shell_is_taken_where_it_is_installed(machine) -> None:
    found = availability(machine("echo GNOME Shell 48.7", without=""))

    assert found == Availability.yes("GNOME 48")


def test_an_old_mutter_is_refused(machine) -> None:
    found = availability(machine("echo mutter 40.5"))

    assert (found.reason, found.hint) == ("Mutter 40 is too old", "use Mutter 42 or newer")


def test_a_mutter_that_does_not_run_is_refused(machine) -> None:
    assert "does not run" in availability(machine("exit 3")).reason


def test_a_program_that_is_something_else_is_refused(machine) -> None:
    assert "neither Mutter nor gnome-shell" in availability(machine("echo hello")).reason


def test_attaching_without_a_session_gets_a_reason_and_a_hint(machine, tmp_path) -> None:
    machine()

    found = availability(HostFacts(environment={"XDG_RUNTIME_DIR": str(tmp_path)}), attaches=True)

    assert "no GNOME session" in found.reason
    assert "log in to GNOME" in found.hint


def test_wlroots_and_kwin_are_asked_first() -> None:
    offers = plugin.compositor_offers(host=HostFacts(environment={"PATH": ""}))

    assert {offer.rank < 40 for offer in offers} == {True}


def test_capture_and_input_work_on_its_own_compositor_only() -> None:
    host = HostFacts(environment={"PATH": os.environ["PATH"]})

    offers = [*plugin.capture_offers(host=host), *plugin.input_offers(host=host)]

    assert {offer.compositors for offer in offers} == {frozenset({"mutter"})}


def test_every_setting_has_a_meaning_and_a_default_of_its_type() -> None:
    for setting in plugin.manifest.settings:
        assert setting.doc
        assert isinstance(setting.default, setting.type)


def test_the_readme_shows_every_setting() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()

    for setting in plugin.manifest.settings:
        assert f"\n{setting.name} = " in readme
