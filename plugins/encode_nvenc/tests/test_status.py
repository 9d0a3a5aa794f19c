from pathlib import Path

from punktfunk_encode_nvenc.machine import status

from punktfunk.plugin import HostFacts


def test_a_machine_without_a_card_is_told_so(tmp_path: Path) -> None:
    found = status(HostFacts(), dev=tmp_path)

    assert not found.available
    assert "no NVIDIA card was found" in found.reason
    assert found.hint


def test_the_control_node_alone_is_not_a_card(tmp_path: Path) -> None:
    (tmp_path / "nvidiactl").touch()
    (tmp_path / "nvidia-uvm").touch()

    assert "no NVIDIA card was found" in status(HostFacts(), dev=tmp_path).reason


def test_a_missing_encode_library_is_named(tmp_path: Path) -> None:
    (tmp_path / "nvidia0").touch()

    found = status(HostFacts(), dev=tmp_path, library="libpunktfunk-no-such-thing.so.1")

    assert "libpunktfunk-no-such-thing.so.1 cannot be loaded" in found.reason
    assert "install the encode library" in found.hint


def test_a_complete_machine_is_described_but_not_claimed_to_work(tmp_path: Path) -> None:
    (tmp_path / "nvidia0").touch()
    (tmp_path / "nvidia").mkdir()
    (tmp_path / "nvidia" / "version").write_text("570.86.15\n")

    found = status(HostFacts(), dev=tmp_path, sys_module=tmp_path, library="libc.so.6")

    assert not found.available
    assert "1 NVIDIA card(s), driver 570.86.15" in found.reason
    assert "not in this version" in found.reason
