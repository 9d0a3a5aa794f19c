import json
import random
import signal
import subprocess
import sys
import time

import attrs
import pytest

from punktfunk.errors import ProtocolError, Refused, StateDamaged
from punktfunk.model.clients import PairedClient, fingerprint_of
from punktfunk.trust.files import backup_of
from punktfunk.trust.store import CLIENTS_FILE, MAX_CLIENTS, ClientStore


def client(number: int, name: str = "Moonlight") -> PairedClient:
    der = b"certificate %d" % number
    return PairedClient(
        fingerprint=fingerprint_of(der),
        name=name,
        certificate_der=der,
        paired_at_unix=1_700_000_000 + number,
        subject="CN=NVIDIA GameStream Client",
        not_before_unix=0,
        not_after_unix=1,
    )


def rewrite(path, change) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_clients_are_there_after_a_restart(tmp_path) -> None:
    store = ClientStore(tmp_path)
    store.add(client(1))
    store.add(client(2))
    store.remove(client(1).fingerprint)

    again = ClientStore(tmp_path)

    assert again.clients() == (client(2),)


def test_only_the_exact_certificate_matches(tmp_path) -> None:
    store = ClientStore(tmp_path)
    store.add(client(1))

    assert store.match(client(1).certificate_der) == client(1)
    assert store.match(client(2).certificate_der) is None
    assert store.match(None) is None
    assert store.match(b"") is None


def test_removal_is_immediate_and_told_once(tmp_path) -> None:
    store = ClientStore(tmp_path)
    store.add(client(1))
    told = []
    store.on_removed(told.append)

    assert store.remove(client(1).fingerprint)
    assert not store.remove(client(1).fingerprint)

    assert store.match(client(1).certificate_der) is None
    assert told == [client(1).fingerprint]


def test_removal_holds_even_if_the_disk_refuses(tmp_path, monkeypatch) -> None:
    store = ClientStore(tmp_path)
    store.add(client(1))
    told = []
    store.on_removed(told.append)
    backup_of(tmp_path / CLIENTS_FILE).mkdir()  # nothing can be written over a folder

    with pytest.raises(OSError):
        store.remove(client(1).fingerprint)

    assert store.match(client(1).certificate_der) is None
    assert told == [client(1).fingerprint]


def test_a_client_is_not_trusted_unless_it_was_written(tmp_path) -> None:
    store = ClientStore(tmp_path)
    (tmp_path / CLIENTS_FILE).mkdir()

    with pytest.raises(OSError):
        store.add(client(1))

    assert store.match(client(1).certificate_der) is None


def test_one_listeners_failure_keeps_no_other_from_hearing(tmp_path, caplog) -> None:
    store = ClientStore(tmp_path)
    added = []
    store.on_added(lambda _client: 1 / 0)
    store.on_added(added.append)

    store.add(client(1))

    assert added == [client(1)]
    assert "listener" in caplog.text


def test_thousands_of_pairings_of_one_client_are_one_entry(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("os.fsync", lambda _descriptor: None)  # only to be quick
    store = ClientStore(tmp_path)

    for number in range(2_000):
        store.add(client(1, name=f"name {number}"))

    assert [c.name for c in store.clients()] == ["name 1999"]
    assert (tmp_path / CLIENTS_FILE).stat().st_size < 1_000
    assert len(list(tmp_path.iterdir())) == 2


def test_the_number_of_clients_is_capped(tmp_path) -> None:
    store = ClientStore(tmp_path)
    for number in range(MAX_CLIENTS):
        store.add(client(number))

    with pytest.raises(Refused, match="unpair one"):
        store.add(client(MAX_CLIENTS))

    store.add(client(0, name="again"))
    assert len(ClientStore(tmp_path).clients()) == MAX_CLIENTS


def test_pairing_again_does_not_allow_the_old_encryption_again(tmp_path) -> None:
    store = ClientStore(tmp_path)
    store.add(client(1))
    store.remember_control_v2(client(1).fingerprint)

    store.add(client(1))

    assert ClientStore(tmp_path).clients() == (attrs.evolve(client(1), control_v2_used=True),)


def test_unknown_members_are_kept(tmp_path) -> None:
    ClientStore(tmp_path).add(client(1))
    path = tmp_path / CLIENTS_FILE
    rewrite(path, lambda d: (d.update(later={"a": 1}), d["clients"][0].update(permissions=["x"])))

    store = ClientStore(tmp_path)
    store.add(client(2))
    store.remember_control_v2(client(1).fingerprint)

    document = json.loads(path.read_text())
    assert document["later"] == {"a": 1}
    assert document["clients"][0]["permissions"] == ["x"]
    assert document["clients"][0]["control_v2_used"] is True


DAMAGES = {
    "empty": lambda text: "",
    "cut short": lambda text: text[: len(text) // 2],
    "not an object": lambda text: "[]",
    "other version": lambda text: text.replace('"version": 1', '"version": 2'),
    "no clients": lambda text: '{"version": 1}',
    "twice": lambda text: text.replace('"version": 1', '"version": 1, "version": 1'),
    "deep": lambda text: "[" * 100_000,
    "fingerprint": lambda text: text.replace('"fingerprint": "', '"fingerprint": "../'),
    "certificate": lambda text: text.replace('"certificate": "Y', '"certificate": "Z'),
    "name": lambda text: text.replace('"Moonlight"', "7"),
    "date": lambda text: text.replace("1700000001", "true"),
    "huge": lambda text: text + " " * 9_000_000,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_file_is_named_with_its_backup_and_left_alone(tmp_path, damage) -> None:
    store = ClientStore(tmp_path)
    store.add(client(2))
    store.add(client(1))
    path = tmp_path / CLIENTS_FILE
    damaged_text = damage(path.read_text())
    path.write_text(damaged_text)

    with pytest.raises(StateDamaged) as damaged:
        ClientStore(tmp_path)

    assert CLIENTS_FILE in str(damaged.value)
    assert str(backup_of(path)) in str(damaged.value)
    assert path.read_text() == damaged_text
    backup_of(path).replace(path)
    assert ClientStore(tmp_path).clients() == (client(2),)


def test_a_file_that_vanished_is_not_an_empty_store(tmp_path) -> None:
    store = ClientStore(tmp_path)
    store.add(client(1))
    store.add(client(2))
    (tmp_path / CLIENTS_FILE).unlink()

    with pytest.raises(StateDamaged, match="missing"):
        ClientStore(tmp_path)


PAIRS_FOR_EVER = """
import sys
from pathlib import Path
from punktfunk.model.clients import PairedClient, fingerprint_of
from punktfunk.trust.store import ClientStore

store = ClientStore(Path(sys.argv[1]))
number = 0
while True:
    der = b"certificate %d" % (number % 40)
    store.remove(fingerprint_of(der))
    store.add(PairedClient(fingerprint=fingerprint_of(der), name=str(number), certificate_der=der,
        paired_at_unix=number, subject="", not_before_unix=0, not_after_unix=0))
    number += 1
    print(number, flush=True)
"""


def test_the_store_survives_kill_9_at_any_moment(tmp_path) -> None:
    dice = random.Random(7)
    for _ in range(8):
        process = subprocess.Popen(
            [sys.executable, "-c", PAIRS_FOR_EVER, str(tmp_path)], stdout=subprocess.PIPE
        )
        with process:
            for _line in range(dice.randint(1, 60)):
                assert process.stdout.readline()
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL

        clients = ClientStore(tmp_path).clients()

        assert len(clients) >= 1
        assert all(c.fingerprint == fingerprint_of(c.certificate_der) for c in clients)


def test_a_client_can_be_renamed_and_is_called_so_after_a_restart(tmp_path) -> None:
    store = ClientStore(tmp_path)
    store.add(client(1))
    told = []
    store.on_changed(told.append)

    renamed = store.rename(client(1).fingerprint, "  Living room ")

    assert renamed is not None
    assert renamed.name == "Living room"
    assert told == [renamed]
    assert [it.name for it in ClientStore(tmp_path).clients()] == ["Living room"]
    assert store.rename(client(2).fingerprint, "Nobody") is None


def test_a_name_that_a_person_gave_stays_when_the_device_pairs_again(tmp_path) -> None:
    store = ClientStore(tmp_path)
    store.add(client(1))
    store.rename(client(1).fingerprint, "Living room")

    again = ClientStore(tmp_path)
    again.add(client(1))
    assert [it.name for it in again.clients()] == ["Living room"]

    again.remove(client(1).fingerprint)
    again.add(client(1))
    assert [it.name for it in again.clients()] == ["Moonlight"]


@pytest.mark.parametrize("name", ["", "   ", "\n\t"])
def test_a_client_cannot_be_called_nothing(tmp_path, name) -> None:
    store = ClientStore(tmp_path)
    store.add(client(1))

    with pytest.raises(ProtocolError):
        store.rename(client(1).fingerprint, name)

    assert store.clients() == (client(1),)


def test_a_hostile_name_is_made_readable_and_short(tmp_path) -> None:
    store = ClientStore(tmp_path)
    store.add(client(1))

    renamed = store.rename(client(1).fingerprint, "evil\u202egnp.exe\x1b[31m" + "x" * 10_000)

    assert renamed is not None
    assert renamed.name.startswith("evil\\u202egnp.exe\\x1b[31mxx")
    assert len(renamed.name) == 64


def test_a_name_that_cannot_be_written_is_not_taken(tmp_path) -> None:
    store = ClientStore(tmp_path)
    store.add(client(1))
    backup_of(tmp_path / CLIENTS_FILE).mkdir()

    with pytest.raises(OSError):
        store.rename(client(1).fingerprint, "Living room")

    assert store.clients() == (client(1),)


def test_asking_with_its_certificate_shows_when_a_client_was_here(tmp_path) -> None:
    store = ClientStore(tmp_path)
    store.add(client(1))
    assert store.clients()[0].last_seen_unix is None

    store.match(client(2).certificate_der)
    assert store.clients()[0].last_seen_unix is None
    store.match(client(1).certificate_der)
    store.last_seen.flush()

    seen = ClientStore(tmp_path).clients()[0].last_seen_unix
    assert seen is not None
    assert abs(seen - time.time()) < 60
    store.remove(client(1).fingerprint)
    store.add(client(1))
    assert store.clients()[0].last_seen_unix is None
