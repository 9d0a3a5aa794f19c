"""Plugins, configuration, log, health and leftovers, asked for from afar."""

import logging
from typing import Any

import pytest

from punktfunk.journal import Journal, directory, make_directory
from punktfunk.mgmt.values import LogLine
from punktfunk.model.plugins import Effect

GAME, CLIENT = "steam:570", "aa" * 32


@pytest.fixture
def host(api: Any) -> Any:
    return api.host


@pytest.fixture
def file(host: Any) -> Any:
    path = host.folder / "config.toml"
    path.write_text("# mine\n[stream]\nmax_fps = 144\n[plugin.web]\napi_token = 'abc'\n")
    host.operations.config.reload()
    return path


async def test_the_configuration_is_shown_with_its_places_and_without_secrets(
    api: Any, file: Any
) -> None:
    answer = await api.ask("GET", "/api/v1/config")

    plain = await answer.get_json()
    (fps,) = (it for it in plain["settings"] if it["key"] == "stream.max_fps")
    assert (fps["value"], fps["source"], fps["place"]) == (144, "file", "config.toml line 3")
    assert plain["plugin"] == {"web": {"api_token": "***"}}


async def test_a_change_counts_at_once_or_says_that_it_waits(
    api: Any, host: Any, file: Any
) -> None:
    told = []
    host.operations.config.on_changed.append(told.append)

    body = {"set": {"stream.max_fps": 60, "host.name": "TV"}, "unset": ["desktop.enabled"]}
    answer = await api.ask("PATCH", "/api/v1/config", json=body)

    assert await answer.get_json() == {
        "changed": ["host.name", "stream.max_fps"],
        "restart_required": ["host.name", "plugin.web"],
        "overridden": [],
    }
    assert file.read_text().startswith("# mine\n")
    assert host.operations.config.settings.stream.max_fps == 60
    assert host.operations.config.settings.host.name == ""
    assert [change.changed for change in told] == [("host.name", "stream.max_fps")]
    shown = await (await api.ask("GET", "/api/v1/config")).get_json()
    assert shown["restart_required"] == ["host.name", "plugin.web"]


async def test_what_is_taken_back_waits_no_more(api: Any, file: Any) -> None:
    await api.ask("PATCH", "/api/v1/config", json={"set": {"host.name": "TV"}})

    answer = await api.ask("PATCH", "/api/v1/config", json={"unset": ["host.name"]})

    assert (await answer.get_json())["restart_required"] == ["plugin.web"]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"set": {"stream.max_fps": 0}}, 400, "stream.max_fps must be a whole number"),
        ({"set": {"stream.max_fsp": 60}}, 400, "did you mean stream.max_fps?"),
        ({"set": {"mgmt": 1}}, 400, "a setting is named section.name"),
        ({"set": []}, 422, "set must be an object"),
        ({"unset": "stream.max_fps"}, 422, "unset must be a list"),
    ],
)
async def test_a_wrong_change_changes_nothing(
    api: Any, file: Any, body: object, status: int, says: str
) -> None:
    before = file.read_text()

    answer = await api.ask("PATCH", "/api/v1/config", json=body)

    assert answer.status_code == status
    error = (await answer.get_json())["error"]
    assert says in error
    assert "line" not in error  # of a file that was never written
    assert file.read_text() == before


async def test_a_file_that_is_not_valid_is_not_taken_over(api: Any, host: Any, file: Any) -> None:
    file.write_text("[stream]\nmax_fps = 0\n")

    answer = await api.ask("POST", "/api/v1/config/reload")

    assert answer.status_code == 400
    assert "line 2: stream.max_fps must be" in (await answer.get_json())["error"]
    assert host.operations.config.settings.stream.max_fps == 144


async def test_what_a_session_would_get_is_explained(api: Any, host: Any, file: Any) -> None:
    file.write_text(f'[[override]]\napp = "{GAME}"\nmax_fps = 30\n')
    await api.ask("POST", "/api/v1/config/reload")

    path = f"/api/v1/config/explain?app={GAME}&client={CLIENT}"
    found = {it["key"]: it for it in await (await api.ask("GET", path)).get_json()}

    assert found["stream.max_fps"]["value"] == 30
    assert found["stream.max_fps"]["place"] == "config.toml line 3"
    assert found["drivers.compositor"]["source"] == "default"


@pytest.mark.parametrize(
    ("client", "status"),
    [("aa" * 4, 200), ("AA" * 4, 200), ("a" * 7, 400), ("xyz" * 4, 400), ("aa" * 32 + "a", 400)],
)
async def test_a_client_is_named_by_how_its_fingerprint_begins(
    api: Any, file: Any, client: str, status: int
) -> None:
    file.write_text(f'[[override]]\nclient = "{CLIENT}"\nmax_fps = 30\n')
    await api.ask("POST", "/api/v1/config/reload")

    answer = await api.ask("GET", f"/api/v1/config/explain?client={client}")

    assert answer.status_code == status
    if status == 200:
        found = {it["key"]: it["value"] for it in await answer.get_json()}
        assert found["stream.max_fps"] == 30


async def test_the_log_is_shown_from_a_level_up_and_without_secrets(api: Any, host: Any) -> None:
    log = logging.getLogger("punktfunk.test")
    log.addHandler(host.operations.log)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    for level in (logging.INFO, logging.WARNING, logging.ERROR):
        log.log(level, "pin=1234 of\n%s", "a device", extra={"event": "x\ny", "pin": "5678"})
    log.removeHandler(host.operations.log)

    lines = await (await api.ask("GET", "/api/v1/logs?level=warning&limit=1")).get_json()

    assert [it["level"] for it in lines] == ["error"]
    assert lines[0]["message"] == "pin=*** of\\x0aa device (event=x\\x0ay pin=***)"
    assert len(await (await api.ask("GET", "/api/v1/logs")).get_json()) == 3
    assert (await api.ask("GET", "/api/v1/logs?level=loud")).status_code == 422
    assert (await api.ask("GET", "/api/v1/logs?limit=0")).status_code == 422


def test_the_log_is_bounded(host: Any) -> None:
    book = host.operations.log
    for number in range(2_100):
        book.emit(logging.makeLogRecord({"msg": "x" * 5_000 + str(number), "levelname": "INFO"}))

    lines = book.last(10_000, "debug")
    assert len(lines) == 2_000
    assert all(isinstance(line, LogLine) and len(line.message) == 1_000 for line in lines)


async def test_leftovers_of_ended_sessions_are_listed_and_taken_back(
    api: Any, host: Any, tmp_path: Any
) -> None:
    left = tmp_path / "left"
    make_directory(left, "pf-1")
    Journal(host.folder / "journal" / "pf-1.jsonl").record(directory(left, "pf-1"))

    (found,) = await (await api.ask("GET", "/api/v1/undo")).get_json()
    assert (found["seat"], found["kind"], found["running"]) == ("pf-1", "directory", False)
    assert (found["state"], found["reason"]) == ("pending", "")

    assert await (await api.ask("POST", "/api/v1/undo")).get_json() == []
    assert not left.exists()
    assert await (await api.ask("GET", "/api/v1/undo")).get_json() == []


async def test_what_cannot_be_taken_back_says_why_and_can_be_given_up(api: Any, host: Any) -> None:
    journal = host.folder / "journal" / "pf-1.jsonl"
    Journal(journal).record(Effect(kind="gone.thing", data={}))

    (found,) = await (await api.ask("POST", "/api/v1/undo")).get_json()
    assert (found["state"], found["reason"]) == ("pending", "plugin gone is not here")

    assert (await api.ask("DELETE", f"/api/v1/undo/{found['id']}")).status_code == 204
    assert (await api.ask("DELETE", f"/api/v1/undo/{found['id']}")).status_code == 404
    assert not journal.exists()


async def test_what_a_running_session_did_is_not_given_up(
    api: Any, host: Any, monkeypatch: Any
) -> None:
    effect = Effect(kind="gone.thing", data={})
    Journal(host.folder / "journal" / "pf-1.jsonl").record(effect)
    monkeypatch.setattr(host.operations, "_running", lambda: frozenset({"pf-1"}))

    assert await (await api.ask("POST", "/api/v1/undo")).get_json() == []
    (found,) = await (await api.ask("GET", "/api/v1/undo")).get_json()
    assert found["running"] is True
    assert (await api.ask("DELETE", f"/api/v1/undo/{found['id']}")).status_code == 409


async def test_what_is_being_undone_is_not_given_up(api: Any, host: Any) -> None:
    journal = Journal(host.folder / "journal" / "pf-1.jsonl")
    journal.record(Effect(kind="gone.thing", data={}))
    (found,) = await (await api.ask("GET", "/api/v1/undo")).get_json()
    journal.hold()

    assert (await api.ask("DELETE", f"/api/v1/undo/{found['id']}")).status_code == 409
    journal.release()


async def test_plugins_and_doctor_say_what_is_there(api: Any) -> None:
    plugins = await (await api.ask("GET", "/api/v1/plugins")).get_json()
    report = await (await api.ask("GET", "/api/v1/doctor")).get_json()

    asked = await (await api.ask("POST", "/api/v1/plugins/probe")).get_json()

    assert plugins == []  # none was asked before
    assert {it["state"] for it in asked} == {"disabled"}
    assert report["can_stream"] is False
    assert {check["name"] for check in report["checks"]} >= {"ports", "fonts"}


async def test_one_apps_sessions_get_values_of_their_own_and_lose_them_again(api: Any) -> None:
    body = {"app": GAME, "settings": {"max_fps": 60, "codecs": ["h264"]}}
    answer = await api.ask("PUT", "/api/v1/config/override", json=body)

    assert (await answer.get_json())["changed"] == ["override"]
    path = f"/api/v1/config/explain?app={GAME}"
    found = {it["key"]: it for it in await (await api.ask("GET", path)).get_json()}
    assert (found["stream.max_fps"]["value"], found["stream.max_fps"]["source"]) == (60, "file")
    assert found["stream.codecs"]["value"] == ["h264"]

    await api.ask("PUT", "/api/v1/config/override", json={"app": GAME})
    assert api.host.operations.config.settings.override == ()


async def test_what_somebody_else_has_set_meanwhile_is_not_lost(api: Any) -> None:
    path = "/api/v1/config/override"
    seen = {"max_fps": 60, "codecs": ["h264"]}
    await api.ask("PUT", path, json={"app": GAME, "settings": seen, "expected": {}})
    before = api.state()

    late = await api.ask("PUT", path, json={"app": GAME, "settings": {}, "expected": {}})

    assert late.status_code == 409
    assert "changed elsewhere" in (await late.get_json())["error"]
    assert api.state() == before
    again = {"app": GAME, "settings": {"max_fps": 30}, "expected": seen}
    assert (await api.ask("PUT", path, json=again)).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"app": GAME, "expected": 7}, 422),
        ({"settings": {"max_fps": 60}}, 400),
        ({"app": GAME, "settings": {"max_fps": 0}}, 400),
        ({"app": GAME, "settings": {"max_sessions": 1}}, 400),
        ({"app": GAME, "settings": {"app": "steam:1"}}, 400),
        ({"client": "no fingerprint", "settings": {"max_fps": 60}}, 400),
        ({"app": GAME, "settings": [1]}, 422),
        ({"app": 7}, 422),
    ],
)
async def test_what_is_no_override_changes_nothing(api: Any, body: object, status: int) -> None:
    before = api.state()

    answer = await api.ask("PUT", "/api/v1/config/override", json=body)

    assert answer.status_code == status
    assert api.state() == before
