"""What `./dev` says on a machine that lacks system packages. It never gets as far as Python's."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

DEV = Path(__file__).parents[2] / "dev"
NOBODY = 65_534
PYTHON = shutil.which("python3", path="/usr/bin:/usr/local/bin")

pytestmark = pytest.mark.skipif(PYTHON is None, reason="no Python that every user may run")

Dev = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A folder with the script alone, and one for programs; an ordinary user may write there."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        shutil.copy(DEV, folder / "dev")
        (folder / "bin").mkdir()
        folder.chmod(0o777)
        yield folder


@pytest.fixture
def dev(checkout: Path) -> Dev:
    """Run it as a user who is not root, with nothing but these programs on the path."""

    def run(*arguments: str, **programs: str) -> "subprocess.CompletedProcess[str]":
        for name, script in {"dpkg_query": "exit 1", **programs}.items():
            program = checkout / "bin" / name.replace("_", "-")
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)
        return subprocess.run(
            [str(PYTHON), str(checkout / "dev"), *arguments],
            env={"PATH": str(checkout / "bin")},
            user=NOBODY if os.geteuid() == 0 else None,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )

    return run


@pytest.mark.parametrize("verb", ["run", "test"])
def test_without_root_it_prints_the_line_and_leaves_nothing_behind(
    dev: Dev, checkout: Path, verb: str
) -> None:
    done = dev(verb)

    *_, line = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.startswith("sudo apt-get update && sudo apt-get install --no-install-recommends ")
    assert {"sway", "pipewire-pulse"} <= set(line.split())
    assert ("iproute2" in line.split()) == (verb == "test")
    assert {entry.name for entry in checkout.iterdir()} == {"dev", "bin"}


def test_a_sudo_that_wants_a_password_is_not_waited_for(dev: Dev) -> None:
    done = dev("run", sudo='[ "$1" = -n ] && exit 1; while :; do :; done')

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("sudo apt-get update && ")


def test_with_sudo_it_says_what_it_installs_and_what_is_still_missing(dev: Dev) -> None:
    installed = "for name; do [ $name = sway ] || echo $name installed; done"

    done = dev("run", sudo="exit 0", dpkg_query=installed)

    assert done.stderr.splitlines() == [
        "dev: installing system packages: sway",
        "dev: system packages are missing; run this line, then try again:",
        "sudo apt-get update && sudo apt-get install --no-install-recommends sway",
    ]


def test_only_what_is_not_installed_is_named(dev: Dev) -> None:
    installed = "for name; do [ $name = foot ] || echo $name installed; done"

    done = dev("test", dpkg_query=installed)

    assert done.stderr.splitlines()[-1].endswith("--no-install-recommends foot")


@pytest.mark.parametrize("path", ["", "/nowhere/python", "/bin/false"])
def test_what_is_no_python_cannot_run_the_tests(dev: Dev, checkout: Path, path: str) -> None:
    done = dev("test", "--python", path)

    assert done.returncode == 1
    assert done.stderr.startswith("dev: --python needs the path of a Python: ")
    assert {entry.name for entry in checkout.iterdir()} == {"dev", "bin"}


def test_another_python_gets_an_environment_of_its_own(dev: Dev, checkout: Path) -> None:
    python = checkout / "bin" / "python3.99"
    python.write_text("#!/bin/sh\necho 3.99.1\n")
    python.chmod(0o755)
    uv = checkout / ".tools" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    uv.write_text(f'#!/bin/sh\necho "$@" >> {checkout}/asked\nexit 3\n')
    uv.chmod(0o755)

    done = dev(
        "test", "--python", str(python), dpkg_query="for name; do echo $name installed; done"
    )

    assert done.returncode == 3
    assert (checkout / "asked").read_text() == (
        f"venv -q --python {python} {checkout}/.venv-3.99.1\n"
    )
