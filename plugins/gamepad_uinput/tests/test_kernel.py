"""Our pads on Debian's kernel, in a machine that lasts as long as the test, see `vm/`."""

import os
import shutil
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "vm"))

import machine  # noqa: E402

TIMEOUT_S = 900
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "punktfunk-tests" / "vm"
GOLDEN = ("xbox_360.json", "rumble.json", "dualsense.json", "switch.json")

SCRIPT = f"""
for module in uinput evdev joydev uhid hid-playstation hid-nintendo; do
  modprobe $module || exit 90
done
mkdir -p /etc/udev/rules.d
{sys.executable} -m punktfunk_gamepad_uinput.rules > /etc/udev/rules.d/72-punktfunk-gamepads.rules
export SYSTEMD_IGNORE_CHROOT=1
/lib/systemd/systemd-udevd --daemon || exit 91
udevadm trigger --subsystem-match=misc
cd {HERE}
export PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 PYTHONDONTWRITEBYTECODE=1
{sys.executable} -m pytest -v -c /dev/null --rootdir=vm -p no:cacheprovider -p pytest_timeout \\
  --timeout=200 --junitxml=/share/junit.xml vm/kernel_pads.py
"""


@pytest.fixture
def share() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="pf-vm-"))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.desktop
@pytest.mark.timeout(TIMEOUT_S + 300)
def test_a_real_kernel_takes_our_pads_for_real_ones(share: Path) -> None:
    if os.environ.get("PUNKTFUNK_DESKTOPS") != "1":
        pytest.skip("a real kernel: ./dev test --desktops")
    if lacking := machine.missing():
        pytest.skip(f"not installed: {lacking}")
    folder = machine.build(CACHE)

    outcome = machine.run(folder, SCRIPT, share, TIMEOUT_S)

    print(outcome.output)
    assert outcome.status == 0, outcome.output
    suite = ET.parse(share / "junit.xml").getroot()[0]
    assert int(suite.attrib["tests"]) >= 15
    assert suite.attrib["skipped"] == "0"
    if os.environ.get("PUNKTFUNK_GOLDEN") == "1":
        for name in GOLDEN:
            shutil.copy(share / name, HERE / "vectors" / name)
