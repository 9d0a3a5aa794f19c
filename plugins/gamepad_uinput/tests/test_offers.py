"""What is said of this machine: its nodes, and its rules."""

import subprocess
import sys
import tempfile
from pathlib import Path

import punktfunk_gamepad_uinput as plugin
import pytest
from punktfunk_gamepad_uinput import node, rules
from punktfunk_gamepad_uinput.probe import node_availability

from punktfunk.plugin import HostFacts, Kind, Offer

NODES = Path(node.UINPUT).exists() or Path(node.UHID).exists()


@pytest.fixture
def nodes(tmp_path, monkeypatch):
    """`nodes("uinput", "uhid")`: files in the places of the device nodes."""

    def make(*names: str) -> Offer:
        for name in ("uinput", "uhid"):
            monkeypatch.setattr(node, name.upper(), str(tmp_path / name))
        for name in names:
            (tmp_path / name).touch()
        (offer,) = plugin.gamepad_offers(host=HostFacts())
        return offer

    return make


@pytest.mark.skipif(NODES, reason="this machine has the nodes")
def test_this_machine_says_why_it_has_no_gamepads() -> None:
    (offer,) = plugin.gamepad_offers(host=HostFacts())

    assert offer.kind is Kind.GAMEPAD
    assert not offer.availability.available
    assert offer.availability.reason.startswith("there is no /dev/uinput")
    assert "modprobe uinput" in offer.availability.hint


def test_with_both_nodes_a_pad_can_do_everything(nodes) -> None:
    offer = nodes("uinput", "uhid")

    assert offer.availability.available
    assert offer.features >= {"rumble", "motion", "touchpad", "light", "triggers", "battery"}


def test_without_uhid_there_are_xbox_pads_and_the_reason(nodes) -> None:
    offer = nodes("uinput")

    assert offer.availability.available
    assert offer.features == {"rumble"}
    assert offer.availability.reason.startswith("Xbox pads only, there is no ")
    assert "modprobe uhid" in offer.availability.reason


def test_without_uinput_there_is_nothing(nodes) -> None:
    offer = nodes("uhid")

    assert not offer.availability.available


def test_a_user_without_rights_is_told_the_commands() -> None:
    # Root may open everything, so the one who asks is somebody else.
    ask = (
        "import os, sys; from punktfunk_gamepad_uinput.probe import node_availability as ask;"
        "os.getuid() or (os.setgroups([]), os.setgid(65534), os.setuid(65534));"
        "it = ask(sys.argv[1]); print(it.available, it.reason, it.hint)"
    )
    with tempfile.NamedTemporaryFile() as node:
        Path(node.name).chmod(0)

        argv = [sys.executable, "-c", ask, node.name]
        told = subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    assert told.startswith("False")
    assert "may not be opened by this user" in told
    assert rules.COMMAND in told
    assert "udevadm control --reload" in told


def test_rules_that_are_missing_or_old_are_a_remark(tmp_path) -> None:
    assert "without its udev rules" in rules.remark([str(tmp_path)])

    installed = tmp_path / rules.FILE_NAME
    installed.write_text("# of an older version\n")
    assert "are older" in rules.remark([str(tmp_path)])

    installed.write_bytes(b"\xff\xfe")
    assert "without its udev rules" in rules.remark([str(tmp_path)])


@pytest.mark.parametrize("group", ["", "games", "input"])
def test_rules_as_printed_are_good_also_with_a_group(tmp_path, group: str) -> None:
    (tmp_path / rules.FILE_NAME).write_text(rules.text(group))

    assert rules.remark(["/nowhere", str(tmp_path)]) == ""


def test_the_command_prints_the_rules_and_nothing_else() -> None:
    argv = [sys.executable, "-W", "error", "-m", "punktfunk_gamepad_uinput.rules"]

    plain = subprocess.run(argv, capture_output=True, text=True, check=True)
    group = subprocess.run([*argv, "--group", "games"], capture_output=True, text=True, check=True)

    assert plain.stdout == rules.text()
    assert plain.stderr == ""
    assert 'GROUP="games", MODE="0660"' in group.stdout


@pytest.mark.parametrize("group", ['x", RUN+="/bin/sh', "Games", "a b", "-x", "x" * 40])
def test_a_group_that_is_none_is_refused(group: str) -> None:
    with pytest.raises(ValueError, match="not the name of a group"):
        rules.text(group)


def test_the_file_comes_between_input_ids_and_seats() -> None:
    assert "60-input-id.rules" < rules.FILE_NAME < "73-seat-late.rules"
    assert (Path(plugin.__file__).parent / "data" / rules.FILE_NAME).exists()


def test_a_node_that_is_there_is_enough(tmp_path) -> None:
    (tmp_path / "uinput").touch()

    assert node_availability(str(tmp_path / "uinput")).available
