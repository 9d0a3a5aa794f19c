"""Against a real message bus, with another connection of ours on the other end."""

import os
import queue
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jeepney import DBusAddress, HeaderFields, MessageFlag, new_error, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection

from punktfunk.dbus import Bus, BusError

NAME, PATH, INTERFACE = "org.punktfunk.Test", "/test", "org.punktfunk.Test"
ADDRESS = DBusAddress(PATH, bus_name=NAME, interface=INTERFACE)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    address = f"unix:path={tmp_path}/bus"
    process = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address", f"--address={address}"],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def bus(daemon: subprocess.Popen[bytes], tmp_path: Path) -> Iterator[Bus]:
    bus = Bus.session({"XDG_RUNTIME_DIR": str(tmp_path)})
    yield bus
    bus.close()


@pytest.fixture
def serve(daemon: subprocess.Popen[bytes], tmp_path: Path) -> Iterator[Callable[..., None]]:
    """`serve(answer)`: one call is answered by the messages that `answer(call)` gives."""
    connection = open_dbus_connection(f"unix:path={tmp_path}/bus", enable_fds=True)
    connection.send_and_get_reply(message_bus.RequestName(NAME), timeout=10)
    threads = []

    def answer_one(answer: Callable[[Any], list[Any]]) -> None:
        while True:
            call = connection.receive(timeout=30)
            if call.header.fields.get(HeaderFields.interface) == INTERFACE:
                for message in answer(call):
                    connection.send(message)
                return

    def start(answer: Callable[[Any], list[Any]]) -> None:
        threads.append(threading.Thread(target=answer_one, args=(answer,), daemon=True))
        threads[-1].start()

    yield start
    for thread in threads:
        thread.join(30)
    connection.close()


def test_a_call_is_answered(bus: Bus, serve: Callable[..., None]) -> None:
    serve(lambda call: [new_method_return(call, "s", (call.body[0] + "!",))])

    assert bus.call(NAME, PATH, INTERFACE, "Shout", "s", "hey") == ("hey!",)
    assert bus.owned(NAME)
    assert bus.owned(bus.owner(NAME))
    assert not bus.owned("org.punktfunk.Nobody")
    with pytest.raises(BusError, match="GetNameOwner"):
        bus.owner("org.punktfunk.Nobody")


def test_an_error_has_its_name_and_its_words(bus: Bus, serve: Callable[..., None]) -> None:
    serve(lambda call: [new_error(call, "org.punktfunk.No", "s", ("not today",))])

    with pytest.raises(BusError, match="Shout: not today") as caught:
        bus.call(NAME, PATH, INTERFACE, "Shout", "s", "hey")

    assert caught.value.name == "org.punktfunk.No"


def test_nobody_of_that_name_is_an_error(bus: Bus) -> None:
    with pytest.raises(BusError) as caught:
        bus.call("org.punktfunk.Nobody", PATH, INTERFACE, "Shout")

    assert caught.value.name == "org.freedesktop.DBus.Error.ServiceUnknown"


def test_who_does_not_answer_is_an_error(bus: Bus, serve: Callable[..., None]) -> None:
    serve(lambda call: [])

    with pytest.raises(BusError, match=r"not answered within 0.2 s"):
        bus.call(NAME, PATH, INTERFACE, "Shout", timeout_s=0.2)


def test_a_call_that_nobody_waits_for_arrives_and_is_not_answered(
    bus: Bus, serve: Callable[..., None]
) -> None:
    arrived = queue.SimpleQueue[Any]()
    serve(lambda call: arrived.put(call) or [])

    bus.send(NAME, PATH, INTERFACE, "Shout", "s", "hey")

    call = arrived.get(timeout=30)
    assert call.body == ("hey",)
    assert call.header.flags & MessageFlag.no_reply_expected


def test_a_property_is_read(bus: Bus) -> None:
    features = bus.get(
        "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Features"
    )

    assert isinstance(features, list)


def test_a_signal_that_comes_before_the_answer_is_not_lost(
    bus: Bus, serve: Callable[..., None]
) -> None:
    serve(lambda call: [new_signal(ADDRESS, "Changed", "u", (7,)), new_method_return(call)])

    with bus.signals(path=PATH, interface=INTERFACE, member="Changed", sender=NAME) as changed:
        assert bus.call(NAME, PATH, INTERFACE, "Change") == ()
        assert changed.wait(30) == (7,)
        assert changed.wait(0) is None


def test_only_signals_about_one_thing_are_heard(bus: Bus, serve: Callable[..., None]) -> None:
    def answer(call: Any) -> list[Any]:
        told = (new_signal(ADDRESS, "Changed", "s", (name,)) for name in ("other", "this"))
        return [*told, new_method_return(call)]

    serve(answer)

    with bus.signals(path=PATH, interface=INTERFACE, member="Changed", about="this") as changed:
        bus.call(NAME, PATH, INTERFACE, "Change")
        assert changed.wait(30) == ("this",)
        assert changed.wait(0) is None


def test_a_descriptor_goes_both_ways(bus: Bus, serve: Callable[..., None]) -> None:
    def answer(call: Any) -> list[Any]:
        received.append(call.body[0].to_raw_fd())
        os.write(received[0], b"hello")
        return [new_method_return(call, "h", (received[0],))]

    received: list[int] = []
    serve(answer)
    readable, writable = os.pipe()

    (back,) = bus.call(NAME, PATH, INTERFACE, "Write", "h", writable)

    os.write(back, b" you")
    assert os.read(readable, 100) == b"hello you"
    for descriptor in (readable, writable, back, *received):
        os.close(descriptor)


def test_a_bus_that_goes_away_is_an_error(bus: Bus, daemon: subprocess.Popen[bytes]) -> None:
    with bus.signals(path=PATH, interface=INTERFACE, member="Changed") as changed:
        daemon.kill()

        with pytest.raises(BusError, match="the bus is gone"):
            changed.wait(30)
        with pytest.raises(BusError, match="the bus is gone"):
            bus.owned(NAME)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "DBUS_SESSION_BUS_ADDRESS is not set"),
        ({"XDG_RUNTIME_DIR": "/nowhere"}, "no message bus at unix:path=/nowhere/bus"),
        ({"DBUS_SESSION_BUS_ADDRESS": "tcp:host=127.0.0.1"}, "no message bus at tcp"),
        ({"DBUS_SESSION_BUS_ADDRESS": "nonsense"}, "no message bus at nonsense"),
    ],
)
def test_no_bus_is_an_error(environment: dict[str, str], words: str) -> None:
    with pytest.raises(BusError, match=words):
        Bus.session(environment)


def test_no_system_bus_is_an_error() -> None:
    with pytest.raises(BusError, match="no message bus at unix:path=/nowhere"):
        Bus.system({"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere"})


@pytest.mark.parametrize(
    "says", [b"", b"OK 0123456789abcdef\r\nAGREE_UNIX_FD\r\n", b"nonsense\r\n"]
)
def test_a_bus_that_does_not_answer_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: bytes
) -> None:
    monkeypatch.setattr("punktfunk.dbus._CONNECT_S", 0.3)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "bus"))
        listener.listen()
        answering = threading.Thread(target=lambda: held.append(listener.accept()[0]))
        held: list[socket.socket] = []
        answering.start()

        def answer() -> None:
            answering.join()
            held[0].sendall(says)

        talking = threading.Thread(target=answer)
        talking.start()
        with pytest.raises(BusError, match="no message bus"):
            Bus.session({"XDG_RUNTIME_DIR": str(tmp_path)})
        talking.join()
        held[0].close()
