from pathlib import Path

from punktfunk_capture_kwin.machine import status

from punktfunk.plugin import HostFacts


def install_kwin(folder: Path) -> HostFacts:
    binary = folder / "bin" / "kwin_wayland"
    binary.parent.mkdir()
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    return HostFacts(uid=folder.stat().st_uid, environment={"PATH": str(binary.parent)})


def test_a_machine_without_kwin_is_told_so(tmp_path: Path) -> None:
    found = status(HostFacts(environment={"PATH": str(tmp_path)}))

    assert not found.available
    assert "kwin_wayland was not found" in found.reason
    assert found.hint


def test_an_installed_kwin_is_named_but_not_claimed_to_work(tmp_path: Path) -> None:
    host = install_kwin(tmp_path)

    found = status(host, proc=tmp_path / "proc")

    assert not found.available
    assert f"{tmp_path}/bin/kwin_wayland" in found.reason
    assert "no Plasma session runs" in found.reason
    assert "not in this version" in found.reason


def test_a_running_session_is_seen_without_any_display_variable(tmp_path: Path) -> None:
    host = install_kwin(tmp_path)
    process = tmp_path / "proc" / "4711"
    process.mkdir(parents=True)
    (process / "comm").write_text("kwin_wayland\n")

    assert "and a Plasma session runs" in status(host, proc=tmp_path / "proc").reason


def test_someone_elses_session_does_not_count(tmp_path: Path) -> None:
    host = HostFacts(uid=tmp_path.stat().st_uid + 1, environment=install_kwin(tmp_path).environment)
    process = tmp_path / "proc" / "4711"
    process.mkdir(parents=True)
    (process / "comm").write_text("kwin_wayland\n")

    assert "no Plasma session runs" in status(host, proc=tmp_path / "proc").reason
