import os
import stat
from pathlib import Path

import punktfunk_capture_wlroots as plugin
import pytest

from punktfunk.plugin import HostFacts, Kind


def facts(path: str, **settings: object) -> HostFacts:
    return HostFacts(environment={"PATH": path}, settings={"wlroots": settings})


@pytest.fixture
def sway_that_says(tmp_path):
    def make(words: str) -> str:
        program = tmp_path / "sway"
        program.write_text(f"#!/bin/sh\n{words}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return f"{tmp_path}:{os.environ['PATH']}"

    return make


def test_a_machine_without_sway_gets_a_reason_and_a_hint(tmp_path) -> None:
    offer, _ = plugin.compositor_offers(host=facts(str(tmp_path)))

    assert offer.kind is Kind.COMPOSITOR
    assert not offer.availability.available
    assert offer.availability.reason == "sway is not installed"
    assert offer.availability.hint == "apt install sway"


def test_a_new_enough_sway_is_offered_with_its_version(sway_that_says) -> None:
    path = sway_that_says("echo sway version 1.10.1-dev")

    offer, _ = plugin.compositor_offers(host=facts(path))

    assert offer.availability.available
    assert offer.availability.reason == "sway 1.10"


def test_a_sway_that_is_too_old_is_refused(sway_that_says) -> None:
    path = sway_that_says("echo sway version 1.4")

    (offer,) = plugin.capture_offers(host=facts(path))

    assert not offer.availability.available
    assert "too old" in offer.availability.reason


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs a user namespace")
def test_root_without_user_namespaces_gets_a_reason_and_a_hint(sway_that_says, tmp_path) -> None:
    path = sway_that_says("echo sway version 1.9")
    unshare = tmp_path / "unshare"
    unshare.write_text("#!/bin/sh\necho unshare failed: Operation not permitted >&2\nexit 1\n")
    unshare.chmod(0o755)

    offer, _ = plugin.compositor_offers(host=facts(path))

    assert not offer.availability.available
    assert "root" in offer.availability.reason
    assert offer.availability.hint == "run the host as an ordinary user"


def test_a_sway_that_does_not_run_is_refused(sway_that_says) -> None:
    path = sway_that_says("exit 3")

    offer, _ = plugin.compositor_offers(host=facts(path))

    assert "does not run" in offer.availability.reason


def test_the_program_can_be_set_to_a_path(sway_that_says, tmp_path) -> None:
    sway_that_says("echo sway version 1.9")

    offer, _ = plugin.compositor_offers(host=facts(os.environ["PATH"], sway=str(tmp_path / "sway")))

    assert offer.availability.reason == "sway 1.9"


def test_capture_and_input_work_on_its_own_compositor_only() -> None:
    host = facts(os.environ["PATH"])

    offers = [*plugin.capture_offers(host=host), *plugin.input_offers(host=host)]

    assert {offer.compositors for offer in offers} == {frozenset({"wlroots"})}


def test_every_setting_has_a_meaning_and_a_default_of_its_type() -> None:
    for setting in plugin.manifest.settings:
        assert setting.doc
        assert isinstance(setting.default, setting.type)


def test_the_readme_shows_every_setting() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()

    for setting in plugin.manifest.settings:
        assert f"\n{setting.name} = " in readme
