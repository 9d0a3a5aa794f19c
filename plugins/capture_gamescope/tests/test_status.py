from pathlib import Path

from punktfunk_capture_gamescope.machine import status

from punktfunk.plugin import HostFacts


def install_gamescope(folder: Path, script: str) -> HostFacts:
    binary = folder / "gamescope"
    binary.write_text(f"#!/bin/sh\n{script}\n")
    binary.chmod(0o755)
    return HostFacts(environment={"PATH": str(folder)})


def test_a_machine_without_gamescope_is_told_so(tmp_path: Path) -> None:
    found = status(HostFacts(environment={"PATH": str(tmp_path)}))

    assert not found.available
    assert "gamescope was not found" in found.reason
    assert found.hint


def test_the_version_is_what_gamescope_prints_on_standard_error(tmp_path: Path) -> None:
    line = "[gamescope] [Info]  console: gamescope version 3.16.4 (gcc 14.2.0)"
    host = install_gamescope(tmp_path, f"echo '{line}' >&2")

    found = status(host)

    assert not found.available
    assert "gamescope 3.16.4 is installed" in found.reason
    assert "not in this version" in found.reason


def test_a_gamescope_that_prints_nothing_useful_is_still_found(tmp_path: Path) -> None:
    host = install_gamescope(tmp_path, "exit 1")

    assert "(of unknown version)" in status(host).reason
