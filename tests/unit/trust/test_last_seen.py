"""When clients were here last: known at once, on disk to the minute, over a restart."""

import json
import threading

import pytest

from punktfunk.model.clients import fingerprint_of
from punktfunk.trust import records
from punktfunk.trust.files import backup_of, write_with_backup
from punktfunk.trust.last_seen import LAST_SEEN_FILE, LastSeen

TV, PHONE = fingerprint_of(b"tv"), fingerprint_of(b"phone")
NOON = 1_800_000_000


class Clock:
    now_s = float(NOON)

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def seen(tmp_path, clock):
    return LastSeen(tmp_path, wall_s=clock)


def written(tmp_path, seen) -> dict[str, int]:
    seen.flush()
    document = json.loads((tmp_path / LAST_SEEN_FILE).read_text())
    return {it["fingerprint"]: it["last_seen_unix"] for it in document["clients"]}


def test_nobody_was_here_and_nothing_is_written_at_first(seen, tmp_path) -> None:
    assert seen.of(TV) is None
    assert list(tmp_path.iterdir()) == []


def test_it_is_known_to_the_second_and_on_disk_to_the_minute(seen, tmp_path, clock) -> None:
    for passed_s in range(0, 60, 7):
        clock.now_s = NOON + passed_s
        seen.note(TV)
    assert seen.of(TV) == NOON + 56
    assert written(tmp_path, seen) == {TV: NOON}

    clock.now_s = NOON + 60
    seen.note(TV)

    assert written(tmp_path, seen) == {TV: NOON + 60}


def test_one_client_does_not_keep_another_from_being_written(seen, tmp_path, clock) -> None:
    seen.note(TV)
    clock.now_s += 1
    seen.note(PHONE)

    assert written(tmp_path, seen) == {TV: NOON, PHONE: NOON + 1}


def test_what_matters_is_written_at_once(seen, tmp_path, clock) -> None:
    seen.note(TV)
    clock.now_s += 1
    seen.note(TV, write=True)

    assert written(tmp_path, seen) == {TV: NOON + 1}


def test_it_is_known_after_a_restart(seen, tmp_path, clock) -> None:
    seen.note(TV)
    seen.flush()

    assert LastSeen(tmp_path, wall_s=clock).of(TV) == NOON


def test_a_clock_that_was_put_back_is_believed(seen, tmp_path, clock) -> None:
    seen.note(TV)
    clock.now_s -= 3_600
    seen.note(TV)

    assert seen.of(TV) == NOON - 3_600
    assert written(tmp_path, seen) == {TV: NOON - 3_600}


def test_who_is_forgotten_is_gone_from_the_disk(seen, tmp_path) -> None:
    seen.note(TV)
    seen.forget(TV)
    seen.forget(PHONE)

    assert seen.of(TV) is None
    assert written(tmp_path, seen) == {}


def test_a_disk_that_refuses_stops_nobody_and_is_logged_once(seen, tmp_path, caplog) -> None:
    (tmp_path / LAST_SEEN_FILE).mkdir()

    for _ in range(3):
        seen.note(TV, write=True)
        seen.flush()

    assert seen.of(TV) == NOON
    assert caplog.text.count("cannot be written") == 1


@pytest.mark.parametrize("damage", ["damaged", "gone", "open to others", "a folder"])
def test_a_file_that_cannot_be_used_is_set_aside_and_stops_nobody(
    seen, tmp_path, caplog, damage
) -> None:
    path = tmp_path / LAST_SEEN_FILE
    for _ in range(2):
        seen.note(TV, write=True)
        seen.flush()
    assert backup_of(path).exists()
    match damage:
        case "damaged":
            path.write_text("{")
        case "open to others":
            path.chmod(0o644)
        case _:
            path.unlink()
    if damage == "a folder":
        path.mkdir()

    anew = LastSeen(tmp_path)

    assert anew.of(TV) is None
    assert str(path) in caplog.text
    anew.note(PHONE)
    assert list(written(tmp_path, anew)) == [PHONE]
    assert backup_of(path).with_name(f"{backup_of(path).name}.damaged").is_file()
    assert path.with_name(f"{path.name}.damaged").exists() == (damage != "gone")


def test_a_disk_that_hangs_holds_up_nobody_and_gets_the_last_word(
    seen, tmp_path, clock, monkeypatch
) -> None:
    begun, go_on, writes = threading.Event(), threading.Event(), []

    def slowly(path, data: bytes) -> None:
        begun.set()
        assert go_on.wait(30)
        writes.append(data)
        write_with_backup(path, data)

    monkeypatch.setattr(records, "write_with_backup", slowly)
    seen.note(TV)
    assert begun.wait(30)
    for _ in range(5):
        clock.now_s += 1
        seen.note(TV, write=True)
    assert seen.of(TV) == NOON + 5
    go_on.set()

    assert written(tmp_path, seen) == {TV: NOON + 5}
    assert len(writes) == 2
