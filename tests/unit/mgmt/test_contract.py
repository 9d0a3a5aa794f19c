"""The routes, the values and the contract say the same; the app keeps to it at its edges."""

import json
import re
from collections.abc import Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Any, NewType, Union, get_args, get_origin
from urllib.parse import quote

import attrs
import pytest

from punktfunk import library, stats
from punktfunk.config.editing import ConfigChange
from punktfunk.mgmt import access_values, as_json, operations_values, values
from punktfunk.mgmt.contract import DoesNotMatch, Operation, read_contract
from punktfunk.mgmt.library_views import GameInfo
from punktfunk.model.clients import NativeClient, PairedClient
from punktfunk.model.games import Artwork, LaunchTarget
from punktfunk.model.offers import Availability
from punktfunk.model.session import StageTiming
from punktfunk.trust.held_off import HeldOff
from punktfunk.trust.pairing import PendingPairing
from punktfunk.trust.pending import PendingDevice
from punktfunk.trust.tokens import ScopedToken

SHAPES = {
    "StreamFigures": values.StreamFigures,
    "StatsStatus": stats.StatsStatus,
    "StatsSample": stats.StatsSample,
    "StageTiming": StageTiming,
    "CaptureMeta": stats.CaptureMeta,
    "Capture": stats.Capture,
    "Health": values.Health,
    "HostInfo": values.HostInfo,
    "PortMap": values.PortMap,
    "RuntimeStatus": values.RuntimeStatus,
    "SessionInfo": values.SessionInfo,
    "SessionStatus": values.SessionStatus,
    "StreamInfo": values.StreamInfo,
    "AvailableCompositor": values.AvailableCompositor,
    "CompositorWay": Availability,
    "PairedClient": PairedClient,
    "HeldOff": HeldOff,
    "PendingPairing": PendingPairing,
    "UpdateClient": values.UpdateClient,
    "SubmitPin": values.SubmitPin,
    "ApprovePending": access_values.ApprovePending,
    "ArmNativePairing": access_values.ArmNativePairing,
    "NativeClient": NativeClient,
    "NativePairStatus": access_values.NativePairStatus,
    "PendingDevice": PendingDevice,
    "CreateToken": access_values.CreateToken,
    "ConsoleLink": access_values.ConsoleLink,
    "CreatedToken": access_values.CreatedToken,
    "ScopedToken": ScopedToken,
    "Artwork": Artwork,
    "CustomEntry": library.CustomGame,
    "CustomInput": library.CustomInput,
    "GameEntry": GameInfo,
    "LaunchSpec": LaunchTarget,
    "StoreStatus": library.StoreStatus,
    "OfferInfo": operations_values.OfferInfo,
    "PluginInfo": operations_values.PluginInfo,
    "PluginStatus": Availability,
    "ConfigPatch": operations_values.ConfigPatch,
    "OverridePut": operations_values.OverridePut,
    "ConfigChange": ConfigChange,
    "SettingExplained": operations_values.SettingExplained,
    "LogLine": values.LogLine,
    "Leftover": values.Leftover,
    "ClientStatus": values.ClientStatus,
}
SHAPELESS = {  # made of others, or written as plain JSON
    *("ApiCodec", "ApiError", "ConfigInfo", "DoctorReport", "Event", "EventGap"),
    *("PairingStatus", "SettingInfo"),
}
OPERATIONS = list(read_contract().operations.values())
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"}
JSON_TYPES = {"null", "boolean", "integer", "number", "string", "array", "object"}
BODIES: dict[str, Any] = {"approvePendingDevice": {}}

every_path = pytest.mark.parametrize("path", sorted({it.path for it in OPERATIONS}))


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


@pytest.mark.parametrize("name", SHAPES)
def test_a_value_has_no_type_that_its_schema_has_not(name: str, document: dict[str, Any]) -> None:
    shape: Any = SHAPES[name]
    attrs.resolve_types(shape)
    renamed = as_json._RENAMED.get(shape, {})
    left_out = as_json._LEFT_OUT.get(shape, ())
    schemas = document["components"]["schemas"]

    for field in attrs.fields(shape):
        if field.name not in left_out:
            member = schemas[name]["properties"][renamed.get(field.name, field.name)]
            assert _kinds(field.type) <= _allowed(member, schemas), field.name


def test_no_schema_is_without_its_value(document: dict[str, Any]) -> None:
    assert set(document["components"]["schemas"]) == set(SHAPES) | SHAPELESS


@every_path
async def test_another_method_is_405_and_says_which_there_are(api: Any, path: str) -> None:
    methods = {it.method for it in OPERATIONS if it.path == path}
    allowed = sorted(methods | ({"HEAD"} if "GET" in methods else set()))

    for method in (*METHODS - set(allowed), "BREW"):
        answer = await api.ask(method, _filled(path))

        assert answer.status_code == 405, method
        assert answer.headers["Allow"] == ", ".join(allowed)
        assert await answer.get_json() == {"error": f"this path does not take {method}"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
async def test_head_is_answered_like_get(api: Any, operation: Operation) -> None:
    if operation.method != "GET":
        return
    path = _filled(operation.path)

    head, get = [await api.ask(method, path) for method in ("HEAD", "GET")]

    assert (head.status_code, head.mimetype) == (get.status_code, get.mimetype)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/api", "/api/v1", "/api/v1/", "/api/v2/health", "/x" * 99])
async def test_what_is_not_there_is_404_in_the_envelope(api: Any, method: str, path: str) -> None:
    answer = await api.ask(method, path)

    assert (answer.status_code, answer.mimetype) == (404, "application/json")
    if method != "HEAD":
        assert await answer.get_json() == {"error": "there is nothing at this path"}


@pytest.mark.parametrize("text", ["-1", "2147483648", "9" * 18])
async def test_a_number_in_a_path_or_query_that_is_out_of_bounds_is_422(
    api: Any, text: str
) -> None:
    api.host.native.enable()
    for operation in OPERATIONS:
        for name, place in _numbers(operation, api.document):
            path = operation.path.replace(f"{{{name}}}", text)
            query = f"?{name}={text}" if place == "query" else ""

            answer = await api.ask(operation.method, path + query, json=BODIES.get(operation.id))

            assert answer.status_code == 422, operation.id


@pytest.mark.parametrize("text", ["", "x", "1.0", "1e3", "0x1", "１", "1_0", " 1", "9" * 30])
async def test_what_is_no_number_is_404_in_a_path_and_422_in_a_query(api: Any, text: str) -> None:
    api.host.native.enable()
    for operation in OPERATIONS:
        for name, place in _numbers(operation, api.document):
            path = operation.path.replace(f"{{{name}}}", quote(text))
            query = f"?{name}={quote(text)}" if place == "query" else ""

            answer = await api.ask(operation.method, path + query, json=BODIES.get(operation.id))

            assert answer.status_code == (404 if place == "path" else 422), operation.id


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "pin is missing"),
        ([], "the body must be an object"),
        ({"pin": 1234}, "pin must be a string"),
        ({"pin": "1", "id": "2"}, "id must be a whole number or null"),
        ({"pin": "1", "id": True}, "id must be a whole number or null"),
        ({"pin": "1", "id": 2**31}, "id must be at most 2147483647"),
        ({"pin": "1", "id": -1}, "id must be at least 0"),
    ],
)
def test_a_body_is_held_to_the_schema_without_repeating_what_it_says(
    body: object, says: str
) -> None:
    with pytest.raises(DoesNotMatch) as caught:
        read_contract().check_body("submitPairingPin", body)

    assert says in str(caught.value)
    assert "1234" not in str(caught.value)


@pytest.mark.parametrize(
    ("launch", "says"),
    [
        ({"kind": "command"}, "launch.value is missing"),
        ({"kind": "command", "value": 7}, "launch.value must be a string"),
        (7, "launch must be an object"),
    ],
)
def test_a_part_that_may_be_null_says_what_it_lacks(launch: object, says: str) -> None:
    with pytest.raises(DoesNotMatch) as caught:
        read_contract().check_body("createCustomGame", {"title": "Tux", "launch": launch})

    assert str(caught.value) == says


def test_unknown_members_are_ignored() -> None:
    read_contract().check_body("submitPairingPin", {"pin": "1", "more": [1]})


def _filled(path: str) -> str:
    return re.sub(r"{\w+}", "0", path)


def _numbers(operation: Operation, document: dict[str, Any]) -> list[tuple[str, str]]:
    members = document["paths"][operation.path][operation.method.lower()]
    return [
        (it["name"], it["in"])
        for it in members.get("parameters", ())
        if it["schema"].get("type") == "integer"
    ]


def _kinds(wanted: Any) -> set[str]:
    """The JSON types that a value of a Python type becomes."""
    if isinstance(wanted, NewType):
        return _kinds(wanted.__supertype__)
    if get_origin(wanted) in (Union, UnionType):
        return set().union(*map(_kinds, get_args(wanted)))
    plain: Any = get_origin(wanted) or wanted
    kinds = {NoneType: "null", bool: "boolean", int: "integer", float: "number", str: "string"}
    for kind, name in {**kinds, Enum: "string", Mapping: "object"}.items():
        if issubclass(plain, kind):
            return {name}
    return {"object" if attrs.has(plain) else "array"}


def _allowed(schema: Any, schemas: dict[str, Any]) -> set[str]:
    if "$ref" in schema:
        return _allowed(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if parts := schema.get("oneOf") or schema.get("anyOf") or schema.get("allOf"):
        return set().union(*(_allowed(part, schemas) for part in parts))
    said = schema.get("type", list(JSON_TYPES))
    allowed = {said} if isinstance(said, str) else set(said)
    return allowed | ({"integer"} if "number" in allowed else set())


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
