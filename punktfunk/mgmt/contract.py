"""The API's contract, `openapi.json`: served as it stands, and what bodies are held to."""

import json
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import attrs
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from punktfunk.errors import PunktfunkError
from punktfunk.model.access import Scope

SPEC_FILE = "openapi.json"
SCOPE_MEMBER = "x-scope"
LOGIN_MEMBER = "x-login"

_BOUNDS = {
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
}
_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "array": "a list",
        "boolean": "true or false",
        "integer": "a whole number",
        "null": "null",
        "number": "a number",
        "object": "an object",
        "string": "a string",
    }
)
_METHODS = frozenset({"get", "put", "post", "delete", "patch"})


class DoesNotMatch(PunktfunkError):
    """Well-formed, but not what the schema says. The message never repeats a value."""

    code = "does_not_match"


class ByLogin(Enum):
    """Whether somebody may who is logged in to the console, without a token in the request."""

    ALLOWED = "allowed"
    FRESH = "fresh"
    """Only for a while after the token was shown."""
    NEVER = "never"


@attrs.frozen(kw_only=True)
class Operation:
    """One method of one path.

    Attributes:
        scope: What a token must have; None when no token is needed.
        query: The parameters it takes after the question mark.
        follows: Its answer goes on for as long as somebody reads it.
    """

    id: str
    method: str
    path: str
    tag: str
    scope: Scope | None
    by_login: ByLogin
    query: tuple[str, ...]
    follows: bool


class Contract:
    """Attributes:
    text: The document as it is served.
    operations: By operation id.
    """

    def __init__(self, text: bytes) -> None:
        self.text = text
        document: dict[str, Any] = json.loads(text)
        self.operations: dict[str, Operation] = {}
        self._bodies: dict[str, Draft202012Validator] = {}
        self._parameters: dict[tuple[str, str], Draft202012Validator] = {}
        components = _bounded(document["components"])
        for operation, members in _operations(document):
            self.operations[operation.id] = operation
            bodies = members.get("requestBody", {}).get("content", {})
            if json_body := bodies.get("application/json"):
                self._bodies[operation.id] = _validator(json_body["schema"], components)
            for parameter in members.get("parameters", ()):
                key = operation.id, parameter["name"]
                self._parameters[key] = _validator(parameter["schema"], components)

    def check_body(self, operation_id: str, plain: object) -> None:
        """Raises DoesNotMatch: it is not what the operation takes."""
        _check(self._bodies[operation_id], plain, "the body")

    def check_parameter(self, operation_id: str, name: str, plain: object) -> None:
        """Raises DoesNotMatch: it is not what the operation takes."""
        _check(self._parameters[operation_id, name], plain, name)


@cache
def read_contract() -> Contract:
    return Contract(spec_text())


def spec_text() -> bytes:
    """The document, byte by byte."""
    return files("punktfunk.mgmt").joinpath(SPEC_FILE).read_bytes()


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[Operation, Mapping[str, Any]]]:
    for path, item in document["paths"].items():
        for method, members in item.items():
            if method in _METHODS:
                yield (
                    Operation(
                        id=members["operationId"],
                        method=method.upper(),
                        path=path,
                        tag=members["tags"][0],
                        scope=_scope(members.get(SCOPE_MEMBER)),
                        by_login=ByLogin(members.get(LOGIN_MEMBER, "allowed")),
                        query=tuple(
                            parameter["name"]
                            for parameter in members.get("parameters", ())
                            if parameter["in"] == "query"
                        ),
                        follows="text/event-stream" in _success(members).get("content", {}),
                    ),
                    members,
                )


def _success(members: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = members["responses"].get("200", {})
    return found


def _scope(text: str | None) -> Scope | None:
    """An operation that nobody has classified is for the administrator."""
    if text == "none":
        return None
    return Scope(text) if text else Scope.ADMIN


def _validator(schema: Any, components: Any) -> Draft202012Validator:
    return Draft202012Validator({"allOf": [_bounded(schema)], "components": components})


def _bounded(node: Any) -> Any:
    """Say in numbers what `format: int32` only suggests: validators pass over formats."""
    if isinstance(node, list):
        return [_bounded(member) for member in node]
    if not isinstance(node, dict):
        return node
    bounded = {name: _bounded(member) for name, member in node.items()}
    if isinstance(node.get("format"), str) and node["format"] in _BOUNDS:
        least, most = _BOUNDS[node["format"]]
        bounded.setdefault("minimum", least)
        bounded.setdefault("maximum", most)
    return bounded


def _check(validator: Draft202012Validator, plain: object, whole: str) -> None:
    error: ValidationError | None = next(validator.iter_errors(plain), None)
    if error is None:
        return
    while error.context:
        error = _most_telling(error.context)
    path = [str(part) for part in error.absolute_path]
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        raise DoesNotMatch(f"{'.'.join([*path, missing])} is missing")
    raise DoesNotMatch(f"{'.'.join(path) or whole} {_expectation(error)}")


def _most_telling(errors: Sequence[ValidationError]) -> ValidationError:
    """Of why a value is none of several kinds; that it is not null tells nobody anything."""
    telling = (it for it in errors if (it.validator, it.validator_value) != ("type", "null"))
    return next(telling, errors[0])


def _expectation(error: ValidationError) -> str:
    """Finish the sentence about a place."""
    wanted: Any = error.validator_value
    match error.validator:
        case "type":
            kinds = [wanted] if isinstance(wanted, str) else wanted
            return f"must be {' or '.join(_TYPES[kind] for kind in kinds)}"
        case "enum":
            return f"must be one of {', '.join(map(str, wanted))}"
        case "minimum":
            return f"must be at least {wanted}"
        case "maximum":
            return f"must be at most {wanted}"
        case "maxLength":
            return f"must have at most {wanted} characters"
        case "maxItems" | "maxProperties":
            return f"must have at most {wanted} entries"
    return "is not of the form that it must have"
