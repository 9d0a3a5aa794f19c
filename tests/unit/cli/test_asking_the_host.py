"""`pair` and `clients` against the real API with a host of the test's own."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner, Result

from punktfunk.cli import main
from punktfunk.config.addresses import parse_bind
from punktfunk.config.settings import MgmtSettings
from punktfunk.gamestream.pairing import check_pin
from punktfunk.host.runtime import Runtime, RuntimeFile, read_runtime
from punktfunk.mgmt.app import create_app
from punktfunk.mgmt.server import MgmtServer
from punktfunk.mgmt.tls import server_tls
from punktfunk.model.clients import PairedClient, fingerprint_of
from punktfunk.trust.identity import load_or_make_identity
from punktfunk.trust.pairing import PendingPairing
from punktfunk.trust.token import load_or_make_token

DECK = PairedClient(
    fingerprint=fingerprint_of(b"deck"),
    name="Deck \x1b[31m",
    certificate_der=b"deck",
    paired_at_unix=1_700_000_000,
    subject="",
    not_before_unix=0,
    not_after_unix=0,
)


class SmallHost:
    def __init__(self) -> None:
        self.paired = [DECK]
        self.waiting: list[PendingPairing] = []
        self.pins: list[tuple[str, int | None]] = []

    def clients(self) -> list[PairedClient]:
        return self.paired

    async def unpair(self, fingerprint: str) -> bool:
        before = len(self.paired)
        self.paired = [it for it in self.paired if it.fingerprint != fingerprint]
        return len(self.paired) < before

    def pending_pairings(self) -> list[PendingPairing]:
        return self.waiting

    def submit_pin(self, pin: str, attempt_id: int | None) -> None:
        check_pin(pin)
        self.pins.append((pin, attempt_id))


@attrs.define
class Running:
    host: Any
    folder: Path
    held: RuntimeFile

    def ask(self, *args: str) -> Result:
        return CliRunner().invoke(main, [*args, "--config-dir", str(self.folder)])


@pytest.fixture(params=["http", "https"])
def running(request: Any, tmp_path: Path) -> Iterator[Running]:
    """A host's API in a thread of its own, found by its runtime file."""
    host: Any = SmallHost()
    identity = load_or_make_identity(tmp_path)
    settings = MgmtSettings(tls_own=request.param == "https")
    tls = server_tls(settings, identity.path, tmp_path)
    server = MgmtServer(
        create_app(host, load_or_make_token(tmp_path)), parse_bind("127.0.0.1:0"), tls
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
        with RuntimeFile(tmp_path) as held:
            fingerprint = server.tls_fingerprint
            held.publish(
                Runtime(pid=1, mgmt_url=server.url, http_port=1, tls_fingerprint=fingerprint)
            )
            yield Running(host, tmp_path, held)
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def waiting() -> Callable[[int, str], PendingPairing]:
    return lambda number, name: PendingPairing(
        id=number, address="192.168.1.9", client_name=name, seconds_left=60
    )


def test_the_paired_devices_are_listed_without_their_tricks(running: Running) -> None:
    for args in (["clients"], ["clients", "list"]):
        done = running.ask(*args)

        assert done.exit_code == 0
        assert done.stdout.startswith(DECK.fingerprint)
        assert "\x1b" not in done.stdout


def test_a_device_is_unpaired_once(running: Running) -> None:
    first = running.ask("clients", "unpair", DECK.fingerprint)
    again = running.ask("clients", "unpair", DECK.fingerprint)

    assert (first.exit_code, again.exit_code) == (0, 1)
    assert again.stderr == "punktfunk: no paired client has that fingerprint\n"


def test_a_pin_goes_to_the_device_that_waits_and_the_person_sees_to_whom(
    running: Running, waiting: Any
) -> None:
    running.host.waiting = [waiting(3, "Deck")]

    done = running.ask("pair", "0123")

    assert (done.exit_code, done.stdout) == (0, "The PIN went to Deck at 192.168.1.9.\n")
    assert running.host.pins == [("0123", None)]


def test_when_several_wait_they_are_named_and_none_gets_the_pin(
    running: Running, waiting: Any
) -> None:
    running.host.waiting = [waiting(3, "Deck"), waiting(5, "Stranger")]

    without = running.ask("pair", "0123")
    chosen = running.ask("pair", "0123", "--id", "5")

    assert without.exit_code == 1
    assert "--id 3 for Deck at 192.168.1.9; --id 5 for Stranger" in without.stderr
    assert chosen.exit_code == 0
    assert running.host.pins == [("0123", 5)]


def test_a_pin_that_is_none_is_refused(running: Running) -> None:
    done = running.ask("pair", "letters")

    assert done.exit_code == 1
    assert done.stderr.startswith("punktfunk: ")
    assert "letters" not in done.stderr


@pytest.mark.parametrize("running", ["https"], indirect=True)
def test_somebody_else_on_that_port_never_sees_the_token(running: Running) -> None:
    found = read_runtime(running.folder)
    assert found is not None
    other = load_or_make_identity(running.folder / "other").certificate
    running.held.publish(attrs.evolve(found, tls_fingerprint=other.fingerprint))

    done = running.ask("clients")

    assert done.exit_code == 1
    assert "is not this host" in done.stderr
