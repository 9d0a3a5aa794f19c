"""Generated requests, good and hostile, to every operation of the contract; and proof that they
notice. Schemathesis makes them from the document alone, the same ones each time."""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from itertools import count
from typing import Any

import attrs
import pytest
import schemathesis
from quart import Quart, Response
from schemathesis.engine import events, from_schema
from werkzeug.exceptions import HTTPException

import punktfunk.mgmt.app
from punktfunk.library import CustomInput
from punktfunk.mgmt.app import create_app
from punktfunk.mgmt.contract import Contract, spec_text
from punktfunk.mgmt.requests import EXTENSION, Backing
from punktfunk.model.access import Scope
from punktfunk.model.clients import fingerprint_of

TOKEN = "0123456789abcdef" * 4
EXAMPLES = 10
HOUR_NS = 3_600 * 10**9

# What matches the schema and may be refused all the same: its meaning is wrong.
REFUSED_BY_MEANING = {
    "createCustomGame": ["400"],  # an empty title, a launch of no kind that there is
    "explainConfig": ["400"],
    "patchConfig": ["400"],  # a key or value that no setting has
    "putCustomArt": ["400"],  # bytes that are no picture
    "putOverride": ["400"],  # neither app nor client, a name that no override has
    "submitPairingPin": ["400"],  # the seed calls any text a PIN
    "streamEvents": ["422"],  # types are names, parted by commas
    "updateClient": ["400"],
    "updateNativeClient": ["400"],
    "unpairClient": ["400"],  # the seed calls any text a fingerprint
    "unpairNativeClient": ["400"],
    "updateCustomGame": ["400"],
}
WITH_BODY = {
    operation["operationId"]
    for item in json.loads(spec_text())["paths"].values()
    for operation in item.values()
    if "application/json" in operation.get("requestBody", {}).get("content", {})
}
"""Operations that take JSON; nobody generates a picture that can be decoded."""
ACCEPTED = ["2xx", "3xx", "401", "403", "404", "409"]


HOSTILE_IDS = ("/0", "a//b", "..", "../../etc/passwd", "\0", "<script>", "\u202e")


@attrs.frozen
class Run:
    """What came of a run.

    Attributes:
        answers: How many, by operation id and status.
        found: Each `operation: check` that failed, with the request that showed it.
    """

    answers: Counter[tuple[str, int]]
    found: dict[str, str]

    @property
    def checks(self) -> set[str]:
        return {place.partition(": ")[2] for place in self.found}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Every wrong token is a line in the log."""
    log = logging.getLogger("punktfunk.mgmt")
    log.setLevel(logging.CRITICAL)
    yield
    log.setLevel(logging.NOTSET)


@pytest.fixture
def host(api: Any, make_view: Any) -> Any:
    """One with something in every list, so that there is something to find."""
    native = api.host.native
    native.enable()
    api.host.pair("test")  # the one whose fingerprint the document has as an example
    for name in ("Deck", "Phone", "test"):
        native.proved(fingerprint_of(name.encode()), name)
        native.knock(fingerprint_of(f"new {name}".encode()), name, "192.168.1.9")
    api.host.waiting[1] = "Tablet"
    api.host.views.append(make_view(1, streaming=True))
    api.host.library.create(CustomInput(title="Solitaire"))
    api.host.tokens.create(Scope.READ)
    return api.host


@pytest.fixture
def app(host: Any) -> Quart:
    return _app(host)


@pytest.mark.timeout(300)  # seconds of computing, and the machine may be busy
def test_every_operation_keeps_its_word_under_generated_requests(app: Quart) -> None:
    run = _run(app)

    assert not run.found, "\n\n".join(f"{place}\n{what}" for place, what in run.found.items())
    asked = {operation for operation, _ in run.answers}
    assert asked == set(Contract(spec_text()).operations)
    accepted = {operation for operation, status in run.answers if status < 300}
    assert WITH_BODY - accepted == set()
    statuses = Counter(status for _, status in run.answers.elements())
    assert not [status for status in statuses if status >= 500]
    assert all(statuses[status] > 10 for status in (200, 204, 400, 401, 404, 405, 415, 422))


def test_the_same_requests_are_made_each_time(api: Any) -> None:
    first, second = (_run(_app(api.host), "getHealth", "armNativePairing") for _ in range(2))

    assert first == second


def test_it_notices_a_body_that_nobody_held_to_the_schema(host: Any) -> None:
    class Lenient(Contract):
        def check_body(self, operation_id: str, plain: object) -> None:
            pass

    app = _app(host)
    app.extensions[EXTENSION] = Backing(
        host, Lenient(spec_text()), app.extensions[EXTENSION].access
    )

    assert _run(app, "armNativePairing").checks & {"negative_data_rejection", "not_a_server_error"}


def test_it_notices_an_error_page_in_html(app: Quart) -> None:
    async def page(error: HTTPException) -> Response:
        return Response("<h1>no</h1>", error.code, mimetype="text/html")

    app.register_error_handler(HTTPException, page)

    assert "content_type_conformance" in _run(app, "listPairedClients").checks


def test_it_notices_a_route_that_needs_no_token(host: Any, monkeypatch: Any) -> None:
    document = json.loads(spec_text())
    document["paths"]["/api/v1/clients"]["get"]["x-scope"] = "none"
    altered = Contract(json.dumps(document).encode())
    monkeypatch.setattr(punktfunk.mgmt.app, "read_contract", lambda: altered)

    assert "ignored_auth" in _run(_app(host), "listPairedClients").checks


def test_it_notices_a_required_member_that_is_missing(app: Quart) -> None:
    async def without_id() -> Response:
        return _json({"hostname": "box"})

    app.view_functions["host.getHostInfo"] = without_id

    assert "response_schema_conformance" in _run(app, "getHostInfo").checks


@pytest.mark.parametrize("status", [202, 418])
def test_it_notices_a_status_that_is_not_documented(app: Quart, status: int) -> None:
    async def surprise() -> Response:
        return _json({"error": "surprise"}, status)

    app.view_functions["session.stopSession"] = surprise

    assert "status_code_conformance" in _run(app, "stopSession").checks


def test_it_notices_redirects_of_doubled_slashes(app: Quart) -> None:
    app.url_map.merge_slashes = True
    for rule in app.url_map.iter_rules():
        rule.merge_slashes = True

    assert "status_code_conformance" in _run(app, "revokeToken").checks


def test_it_notices_a_crash(app: Quart) -> None:
    async def crash(**_: object) -> Response:
        raise ZeroDivisionError

    app.view_functions["native.denyPendingDevice"] = crash

    assert "not_a_server_error" in _run(app, "denyPendingDevice").checks


def test_it_notices_a_405_that_does_not_say_what_is_allowed(app: Quart) -> None:
    async def strip(response: Response) -> Response:
        response.headers.pop("Allow", None)
        return response

    app.after_request(strip)

    assert "unsupported_method" in _run(app, "getHealth").checks


def _app(host: Any) -> Quart:
    """An hour passes between two requests, so wrong tokens are never slowed down."""
    hours = count()
    return create_app(host, TOKEN, now_ns=lambda: next(hours) * HOUR_NS)


def _run(app: Quart, *operations: str) -> Run:
    """Ask these operations and what else is on their paths, or all."""
    schema = schemathesis.openapi.from_dict(_document(operations), config=_config())
    schema.app = _for_one_answer(app)
    run = Run(Counter(), {})
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _note(run, event.recorder)
        assert not isinstance(event, events.NonFatalError | events.FatalError), event
    return run


def _note(run: Run, recorder: Any) -> None:
    for case_id, interaction in recorder.interactions.items():
        assert interaction.response is not None, interaction.request.uri
        operation = recorder.cases[case_id].value.operation.definition.raw["operationId"]
        run.answers[operation, interaction.response.status_code] += 1
        for check in recorder.checks.get(case_id, ()):
            if failed := check.failure_info:
                curl = recorder.cases[case_id].value.as_curl_command()
                run.found.setdefault(
                    f"{operation}: {check.name}", f"{failed.failure.message}\n{curl}"
                )


def _document(operations: Collection[str]) -> dict[str, Any]:
    """The contract without its `default` answers, which would allow any status there is, and
    with ids that no generator dares to put into a path."""
    document: dict[str, Any] = json.loads(spec_text())
    for path, item in list(document["paths"].items()):
        if operations and not any(it["operationId"] in operations for it in item.values()):
            del document["paths"][path]
        for operation in item.values():
            operation["responses"].pop("default")
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and parameter["schema"]["type"] == "string":
                    parameter["examples"] = {it: {"value": it} for it in HOSTILE_IDS}
    return document


def _config() -> schemathesis.Config:
    return schemathesis.Config.from_dict(
        {
            "seed": 1,
            "base-url": "http://localhost",
            "headers": {"Authorization": f"Bearer {TOKEN}"},
            "continue-on-failure": True,
            "suppress-health-check": ["all"],
            "generation": {
                "mode": "all",
                "max-examples": EXAMPLES,
                "database": "none",
                "deterministic": True,
                "no-shrink": True,
            },
            "phases": {"stateful": {"enabled": False}},  # it draws on what earlier answers said
            "checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}},
            "operations": [
                {
                    "include-operation-id": operation,
                    "checks": {
                        "positive_data_acceptance": {"expected-statuses": [*ACCEPTED, *refused]}
                    },
                }
                for operation, refused in REFUSED_BY_MEANING.items()
            ],
        }
    )


def _for_one_answer(app: Quart) -> Callable[..., Any]:
    """The reader hangs up on an event stream after its first part, and follows no redirect."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        heard = asyncio.Event()
        streams = False

        async def send_until_heard(message: Any) -> None:
            nonlocal streams
            if message["type"] == "http.response.start":
                headers = [it for it in message["headers"] if it[0].lower() != b"location"]
                streams = any(b"text/event-stream" in value for _, value in headers)
                message = {**message, "headers": headers}
            elif streams and message["type"] == "http.response.body":
                if heard.is_set():
                    return
                heard.set()
                message = {**message, "more_body": False}
            await send(message)

        await app(scope, receive, send_until_heard)

    return wrapped


def _json(plain: object, status: int = 200) -> Response:
    return Response(json.dumps(plain), status, mimetype="application/json")
