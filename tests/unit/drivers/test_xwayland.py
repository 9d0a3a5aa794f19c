import os
import socket

from punktfunk.plugin import x11_display_of


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
