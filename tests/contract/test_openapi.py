"""Our API contract beside the one that is promised: all of it, and what is ours only adds."""

import json
from pathlib import Path
from typing import Any

import pytest

from punktfunk.mgmt.contract import spec_text

SEED: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "api" / "openapi.seed.json").read_text()
)
OURS: dict[str, Any] = json.loads(spec_text())
WORDS = {"description", "summary", "example"}
ENVELOPE = {"$ref": "#/components/schemas/ApiError"}


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By `METHOD path`."""
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


of_the_seed = pytest.mark.parametrize("place", operations(SEED))
of_ours = pytest.mark.parametrize("place", operations(OURS))


def test_the_promise_is_29_operations_and_27_schemas() -> None:
    assert (len(operations(SEED)), len(SEED["components"]["schemas"])) == (29, 27)


@of_the_seed
def test_an_operation_is_there_with_every_parameter_and_answer(place: str) -> None:
    assert _missing(operations(SEED)[place], operations(OURS).get(place)) == []


@pytest.mark.parametrize("name", SEED["components"]["schemas"])
def test_a_schema_is_there_with_every_member_type_and_format(name: str) -> None:
    assert (
        _missing(SEED["components"]["schemas"][name], OURS["components"]["schemas"].get(name)) == []
    )


def test_access_and_tags_are_as_promised() -> None:
    assert OURS["security"] == SEED["security"]
    assert OURS["components"]["securitySchemes"] == SEED["components"]["securitySchemes"]
    assert [tag for tag in SEED["tags"] if tag not in OURS["tags"]] == []


def test_the_one_difference_in_meaning_is_that_unpairing_severs() -> None:
    theirs, ours = (operations(it)["DELETE /api/v1/clients/{fingerprint}"] for it in (SEED, OURS))

    assert "without severing" in theirs["description"]
    assert "without severing" not in ours["description"]
    assert "Every further request with that certificate is refused" in ours["description"]


@of_the_seed
def test_who_knows_only_the_promise_is_understood_and_understands(place: str) -> None:
    theirs, ours = operations(SEED)[place], operations(OURS)[place]
    known = {(it["name"], it["in"]) for it in theirs.get("parameters", ())}
    added = [it for it in ours.get("parameters", ()) if (it["name"], it["in"]) not in known]

    assert [it["name"] for it in added if it.get("required")] == []
    assert ("requestBody" in ours) == ("requestBody" in theirs)
    assert _successes(ours) == _successes(theirs)


@pytest.mark.parametrize("name", SEED["components"]["schemas"])
def test_members_of_ours_are_neither_demanded_nor_is_anything_closed(name: str) -> None:
    theirs, ours = (it["components"]["schemas"][name] for it in (SEED, OURS))

    assert ours.get("required") == theirs.get("required")
    assert ours.get("enum") == theirs.get("enum")
    assert ours.get("additionalProperties") == theirs.get("additionalProperties")


@of_ours
def test_every_refusal_has_the_envelope(place: str) -> None:
    for status, answer in operations(OURS)[place]["responses"].items():
        if not status.startswith(("2", "3")):
            assert _schema(answer) == ENVELOPE, status


@of_ours
def test_the_refusals_that_it_can_meet_are_documented_by_number(place: str) -> None:
    operation = operations(OURS)[place]
    expected = {"413", "421", "default"}
    if operation["x-scope"] != "none":
        expected |= {"401", "429"}
        if not place.startswith("GET") or operation["x-scope"] != "read":
            expected |= {"403"}
    if "requestBody" in operation:
        expected |= {"400", "415", "422"}
    for parameter in operation.get("parameters", ()):
        expected |= {"404"} if parameter["in"] == "path" else set()
        checked = {"format", "enum", "maxLength"} & set(parameter["schema"])
        expected |= {"422"} if checked else set()

    assert expected - set(operation["responses"]) == set()


@of_ours
def test_whole_numbers_have_a_size(place: str) -> None:
    waiting: list[Any] = [operations(OURS)[place]]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
            if "$ref" in node:
                waiting.append(_resolved(node))
            if "integer" in str(node.get("type")):
                assert node.get("format") in {"int32", "int64"} or "maximum" in node


def _missing(theirs: Any, ours: Any, place: str = "") -> list[str]:
    """Note what was promised and is not there, or otherwise. Words may differ."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        found = []
        for name, value in theirs.items():
            inside = f"{place}/{name}"
            if name not in ours:
                found.append(inside)
            elif name not in WORDS or not isinstance(value, str):
                found += _missing(value, ours[name], inside)
        return found
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        pairs = zip(theirs, ours, strict=True)
        return [line for one, other in pairs for line in _missing(one, other, place)]
    return [] if theirs == ours else [f"{place}: {theirs!r} became {ours!r}"]


def _successes(operation: dict[str, Any]) -> set[str]:
    return {status for status in operation["responses"] if status.startswith("2")}


def _schema(answer: dict[str, Any]) -> Any:
    return _resolved(answer)["content"]["application/json"]["schema"]


def _resolved(node: dict[str, Any]) -> Any:
    if "$ref" not in node:
        return node
    found: Any = OURS
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found
