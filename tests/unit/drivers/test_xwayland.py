import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from punktfunk.plugin import remove_x11_display, x11_display_of


def test_the_display_is_found_by_the_socket_a_process_listens_on() -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        # An abstract name, as X servers have one beside the file.
        listener.bind(f"\0/tmp/.X11-unix/X{os.getpid()}")
        listener.listen()

        assert x11_display_of(os.getpid()) == f":{os.getpid()}"


def test_a_process_without_such_a_socket_has_no_display() -> None:
    assert x11_display_of(os.getpid()) is None


def test_a_process_that_is_gone_has_no_display() -> None:
    assert x11_display_of(2**22 + 1) is None


@pytest.fixture
def display() -> Iterator[tuple[str, Path, Path]]:
    """A display number that nobody has, with the lock and the socket a server makes."""
    number = os.getpid()
    lock, socket_file = Path(f"/tmp/.X{number}-lock"), Path(f"/tmp/.X11-unix/X{number}")
    socket_file.parent.mkdir(mode=0o1777, exist_ok=True)
    socket_file.touch()
    yield f":{number}", lock, socket_file
    for path in (lock, socket_file):
        path.unlink(missing_ok=True)


def test_what_a_killed_compositor_left_of_its_display_is_removed(display) -> None:
    name, lock, socket_file = display
    with subprocess.Popen(["sleep", "60"]) as server:
        lock.write_text(f"{server.pid:>10}\0")
        remove_x11_display(name, server.pid)
        assert lock.exists()
        server.kill()

    remove_x11_display(name, server.pid)

    assert not lock.exists()
    assert not socket_file.exists()


def test_a_display_that_somebody_else_has_by_now_is_left_alone(display) -> None:
    name, lock, socket_file = display
    lock.write_text(f"{2**22 + 2:>10}\n")

    remove_x11_display(name, 2**22 + 1)

    assert lock.exists()
    assert socket_file.exists()
    lock.unlink()
    remove_x11_display(name, 2**22 + 1)
    assert socket_file.exists()
