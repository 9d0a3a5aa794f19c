"""Whether a server ended is known, also where another one took its place."""

import socket
from pathlib import Path

import pytest

from punktfunk.drivers.witness import Witness


@pytest.fixture
def listen():
    sockets = []

    def start(path: Path) -> socket.socket:
        path.unlink(missing_ok=True)
        sockets.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        sockets[-1].bind(str(path))
        sockets[-1].listen()
        return sockets[-1]

    yield start
    for each in sockets:
        each.close()


def test_a_server_that_ends_and_is_started_again_has_ended(listen, tmp_path: Path) -> None:
    server = listen(tmp_path / "s")
    witness = Witness(tmp_path / "s")
    assert not witness.has_ended

    server.close()
    listen(tmp_path / "s")

    assert witness.has_ended
    witness.close()


def test_what_was_never_there_has_not_ended(tmp_path: Path) -> None:
    witness = Witness(tmp_path / "nothing")

    assert not witness.has_ended
    witness.close()
