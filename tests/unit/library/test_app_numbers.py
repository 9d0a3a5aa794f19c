"""Moonlight's numbers: the same after every restart, and never another app's."""

import json
import signal
import subprocess
import sys

import pytest

from punktfunk.errors import StateDamaged
from punktfunk.library import app_numbers
from punktfunk.library.app_numbers import APPS_FILE, AppNumbers
from punktfunk.model.apps import App, moonlight_number
from punktfunk.trust.files import backup_of


@pytest.fixture
def few_numbers(monkeypatch) -> None:
    """There are only eight numbers at the first attempt, so that apps meet."""
    monkeypatch.setattr(
        app_numbers,
        "moonlight_number",
        lambda library_id, attempt=0: moonlight_number(library_id) % 8 + 1 + attempt * 1_000,
    )


def test_an_app_has_the_number_that_its_id_makes(tmp_path) -> None:
    numbers = AppNumbers(tmp_path).of(["builtin:desktop", "steam:570"])

    assert numbers["steam:570"] == App(library_id="steam:570", title="").moonlight_id
    assert all(0 < number < 2**31 for number in numbers.values())


def test_numbers_stay_when_apps_meet_go_and_come_in_another_order(tmp_path, few_numbers) -> None:
    ids = [f"steam:{number}" for number in range(60)]

    first = AppNumbers(tmp_path).of(ids)
    some = AppNumbers(tmp_path).of(ids[40:])
    again = AppNumbers(tmp_path).of(reversed(ids))

    assert len(set(first.values())) == 60
    assert {it: first[it] for it in some} == some
    assert again == first


def test_a_number_is_not_given_away_while_its_app_is_gone(tmp_path, few_numbers) -> None:
    ids = [f"steam:{number}" for number in range(9)]  # two of nine must meet
    alone = {it: AppNumbers(tmp_path / it.partition(":")[2]).of([it])[it] for it in ids}
    first, second = next((a, b) for a in ids for b in ids if a != b and alone[a] == alone[b])

    kept = AppNumbers(tmp_path).of([first])[first]
    other = AppNumbers(tmp_path).of([second])[second]

    assert kept == alone[first]
    assert other != kept
    assert AppNumbers(tmp_path).of([second, first]) == {first: kept, second: other}


def test_nothing_is_written_when_nothing_is_new(tmp_path) -> None:
    AppNumbers(tmp_path).of(["steam:570"])
    before = (tmp_path / APPS_FILE).stat().st_mtime_ns

    AppNumbers(tmp_path).of(["steam:570"])

    assert (tmp_path / APPS_FILE).stat().st_mtime_ns == before


def test_two_thousand_apps_are_one_write(tmp_path) -> None:
    numbers = AppNumbers(tmp_path).of([f"steam:{number}" for number in range(2_000)])

    assert not backup_of(tmp_path / APPS_FILE).exists()
    assert len(json.loads((tmp_path / APPS_FILE).read_text())["apps"]) == len(numbers) == 2_000


def test_a_full_disk_costs_no_app(tmp_path) -> None:
    numbers = AppNumbers(tmp_path)
    (tmp_path / APPS_FILE).mkdir()

    assert numbers.of(["steam:570"]) == {"steam:570": moonlight_number("steam:570")}


@pytest.mark.parametrize("text", ["", "{}", '{"version": 1, "apps": [{"id": "a:b", "number": 0}]}'])
def test_a_damaged_file_is_named(tmp_path, text: str) -> None:
    AppNumbers(tmp_path).of(["steam:570"])
    (tmp_path / APPS_FILE).write_text(text)

    with pytest.raises(StateDamaged, match=APPS_FILE):
        AppNumbers(tmp_path)


GIVES_FOR_EVER = """
import sys
from pathlib import Path
from punktfunk.library.app_numbers import AppNumbers

numbers, n = AppNumbers(Path(sys.argv[1])), 0
while True:
    number = numbers.of([f"steam:{n}"])[f"steam:{n}"]
    print(n, number, flush=True)
    n += 1
"""


def test_numbers_that_were_told_survive_kill_9(tmp_path) -> None:
    told = {}
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", GIVES_FOR_EVER, str(tmp_path)], stdout=subprocess.PIPE
        )
        with process:
            for _line in range(25):
                n, number = process.stdout.readline().split()
                told[f"steam:{int(n)}"] = int(number)
            process.send_signal(signal.SIGKILL)

        assert AppNumbers(tmp_path).of(told) == told
