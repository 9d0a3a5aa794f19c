"""Runs the host as a user who may do nothing, whatever folder the project lies in."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65_534
PROJECT = Path(__file__).resolve().parents[3]
SETPRIV = (
    "setpriv",
    *("--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"),
    *("--bounding-set", "-all", "--inh-caps", "-all", "--no-new-privs", "--"),
)

_SOURCES = ("punktfunk", "plugins")


def why_not() -> str:
    """Why this cannot be tried here; empty when it can."""
    if os.geteuid() != 0:
        return "only root can become somebody else"
    if shutil.which("setpriv") is None:
        return "setpriv (util-linux) is not installed"
    return ""


@contextmanager
def host_command() -> Iterator[tuple[str, ...]]:
    """Words that start `punktfunk` as nobody, without a single capability.

    Interpreter, packages and sources that nobody may read are put beside each other in a
    temporary folder: as hard links where that works, else as copies.
    """
    with tempfile.TemporaryDirectory(prefix="pf-lib-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        base = _readable(Path(sys.base_prefix), folder / "base")
        packages = Path(next(path for path in sys.path if path.endswith("site-packages")))
        environment = folder / "venv"
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        (environment / "bin").mkdir(parents=True)
        (environment / "lib" / version).mkdir(parents=True)
        python = environment / "bin" / "python"
        python.symlink_to(base / "bin" / version)
        (environment / "pyvenv.cfg").write_text(f"home = {base / 'bin'}\n")
        (environment / "lib" / version / "site-packages").symlink_to(
            _readable(packages, folder / "packages")
        )
        words = [*SETPRIV, "env"]
        if not _is_open(PROJECT):
            sources = [_readable(PROJECT / name, folder / name).parent for name in _SOURCES]
            paths = [sources[0], *(folder / "plugins").iterdir()]
            words.append(f"PYTHONPATH={':'.join(map(str, paths))}")
        words.append(f"LD_LIBRARY_PATH={base / 'lib'}")
        yield *words, str(python), "-m", "punktfunk.cli"


def _is_open(path: Path) -> bool:
    """Whether everybody may read what lies there, judged by its folders."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def _readable(path: Path, copy: Path) -> Path:
    path = path.resolve()
    if _is_open(path):
        return path
    for way in (("-a", "--link"), ("-a",)):
        done = subprocess.run(["cp", *way, str(path), str(copy)], capture_output=True, check=False)
        if done.returncode == 0:
            return copy
        shutil.rmtree(copy, ignore_errors=True)
    raise AssertionError(f"{path} could not be copied: {done.stderr.decode()}")
