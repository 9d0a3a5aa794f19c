"""DMA-BUFs that a real kernel makes, in the machine of the gamepads' tests: Debian's kernel has
vgem, a GPU that is none. Its memory is shared, mapped and synchronised as any GPU's.
"""

import os
import shutil
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
sys.path.insert(0, str(REPOSITORY / "plugins" / "gamepad_uinput" / "tests" / "vm"))

import machine  # noqa: E402

TIMEOUT_S = 1_200
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "punktfunk-tests" / "vm"

SCRIPT = f"""
modprobe vgem || exit 90
cd {REPOSITORY}
export PYTHONDONTWRITEBYTECODE=1 HOME=/root PATH={os.environ.get("PATH", "/usr/bin:/bin")}
{sys.executable} -m pytest -v -p no:cacheprovider --timeout=600 --junitxml=/share/junit.xml \\
  tests/unit/pipewire/test_gpu_memory.py -k vgem
"""


@pytest.fixture
def share() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="pf-vm-"))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.desktop
@pytest.mark.timeout(TIMEOUT_S + 300)
def test_memory_of_a_real_kernels_gpu_is_read_and_handed_on(share: Path) -> None:
    if os.environ.get("PUNKTFUNK_DESKTOPS") != "1":
        pytest.skip("a real kernel: ./dev test --desktops")
    if lacking := machine.missing():
        pytest.skip(f"not installed: {lacking}")
    folder = machine.build(CACHE)

    outcome = machine.run(folder, SCRIPT, share, TIMEOUT_S)

    print(outcome.output)
    assert outcome.status == 0, outcome.output
    suite = ET.parse(share / "junit.xml").getroot()[0]
    assert (suite.attrib["tests"], suite.attrib["skipped"]) == ("2", "0")
