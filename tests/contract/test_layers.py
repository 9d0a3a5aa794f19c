"""Who may import whom: the contracts of `pyproject.toml`, kept."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_nobody_imports_what_is_above_them() -> None:
    paths = [str(ROOT), *(str(plugin) for plugin in sorted((ROOT / "plugins").iterdir()))]
    ran = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout
    assert "0 broken" in ran.stdout
