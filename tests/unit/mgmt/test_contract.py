"""The routes, the values, our spec file and the seed's say the same."""

import json
from pathlib import Path
from typing import Any

import attrs
import pytest

from punktfunk.mgmt import as_json, values
from punktfunk.mgmt.contract import DoesNotMatch, read_contract
from punktfunk.model.clients import PairedClient
from punktfunk.trust.pairing import PendingPairing

SEED = Path(__file__).parents[2] / "vectors" / "api" / "openapi.seed.json"
SHAPES = {
    "Health": values.Health,
    "HostInfo": values.HostInfo,
    "PortMap": values.PortMap,
    "RuntimeStatus": values.RuntimeStatus,
    "SessionInfo": values.SessionInfo,
    "SessionStatus": values.SessionStatus,
    "StreamInfo": values.StreamInfo,
    "AvailableCompositor": values.AvailableCompositor,
    "PairedClient": PairedClient,
    "PendingPairing": PendingPairing,
    "SubmitPin": values.SubmitPin,
}
WORDS = {"description", "summary", "example"}


@pytest.fixture
def document() -> dict[str, Any]:
    return json.loads(read_contract().text)


def test_every_route_is_an_operation_of_the_contract_and_the_other_way_round(api: Any) -> None:
    routes = {
        (rule.rule.replace("<", "{").replace(">", "}"), method, rule.endpoint)
        for rule in api.app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.endpoint != "openapi"
    }
    operations = {
        (operation.path, operation.method, f"{operation.tag}.{operation.id}")
        for operation in api.contract.operations.values()
    }

    assert routes == operations


async def test_the_contract_is_served_byte_by_byte(api: Any) -> None:
    answer = await api.ask("GET", "/api/v1/openapi.json")

    assert await answer.get_data(as_text=False) == read_contract().text
    assert answer.mimetype == "application/json"


def test_nothing_of_the_seed_is_missing_in_what_is_implemented(document: dict[str, Any]) -> None:
    seed = json.loads(SEED.read_text())

    missing: list[str] = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            _missing(seed["paths"][path][method], operation, f"{method} {path}", missing)
    for name in _referenced(document):
        if name in seed["components"]["schemas"]:
            theirs, ours = (it["components"]["schemas"][name] for it in (seed, document))
            _missing(theirs, ours, name, missing)

    assert missing == []


def test_what_is_required_and_what_is_allowed_is_as_in_the_seed(document: dict[str, Any]) -> None:
    seed = json.loads(SEED.read_text())["components"]["schemas"]

    for name, schema in document["components"]["schemas"].items():
        if name in seed:
            assert schema.get("required") == seed[name].get("required"), name
            assert schema.get("enum") == seed[name].get("enum"), name


def test_every_reference_leads_somewhere_and_every_schema_is_used(document: dict[str, Any]) -> None:
    assert _referenced(document) == set(document["components"]["schemas"])


@pytest.mark.parametrize("name", SHAPES)
def test_a_value_has_the_members_that_its_schema_says(name: str, document: dict[str, Any]) -> None:
    shape: Any = SHAPES[name]
    renamed = as_json._RENAMED.get(shape, {})
    left_out = as_json._LEFT_OUT.get(shape, ())

    members = {
        renamed.get(field.name, field.name)
        for field in attrs.fields(shape)
        if field.name not in left_out
    }

    assert members == set(document["components"]["schemas"][name]["properties"])


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "the body has no member pin"),
        ([], "the body does not match: type object"),
        ({"pin": 1234}, "pin does not match: type string"),
        ({"pin": "1", "id": "2"}, "id does not match: type ['integer', 'null']"),
        ({"pin": "1", "id": True}, "id does not match"),
        ({"pin": "1", "id": 2**31}, "id does not match: maximum 2147483647"),
        ({"pin": "1", "id": -1}, "id does not match: minimum 0"),
    ],
)
def test_a_body_is_held_to_the_schema_without_repeating_what_it_says(
    body: object, says: str
) -> None:
    with pytest.raises(DoesNotMatch) as caught:
        read_contract().check_body("submitPairingPin", body)

    assert says in str(caught.value)
    assert "1234" not in str(caught.value)


def test_unknown_members_are_ignored() -> None:
    read_contract().check_body("submitPairingPin", {"pin": "1", "more": [1]})


def _missing(theirs: Any, ours: Any, place: str, found: list[str]) -> None:
    """Note what the seed has and we do not have, or have otherwise. Words may differ."""
    if isinstance(theirs, dict):
        for name, value in theirs.items():
            inside = f"{place} / {name}"
            if not isinstance(ours, dict) or name not in ours:
                found.append(inside)
            elif name not in WORDS or not isinstance(value, str):
                _missing(value, ours[name], inside, found)
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for one, other in zip(theirs, ours, strict=True):
            _missing(one, other, place, found)
    elif theirs != ours:
        found.append(f"{place}: {theirs!r} became {ours!r}")


def _referenced(document: dict[str, Any]) -> set[str]:
    schemas = document["components"]["schemas"]
    names: set[str] = set()
    waiting: list[Any] = [document["paths"], document["components"]["responses"]]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
            name = str(node.get("$ref", "")).removeprefix("#/components/schemas/")
            if name in schemas and name not in names:
                names.add(name)
                waiting.append(schemas[name])
    return names
