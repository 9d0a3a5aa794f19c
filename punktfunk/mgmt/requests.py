"""What routes share: the host they ask, and what the request says, checked."""

import json
import re
from collections.abc import Callable
from typing import NoReturn, TypeVar

import attrs
from quart import Response, current_app, g, request
from werkzeug.exceptions import BadRequest, NotFound, UnsupportedMediaType

from punktfunk.events import Reader
from punktfunk.mgmt.access import Access
from punktfunk.mgmt.as_json import from_json
from punktfunk.mgmt.audit import OWN_TOKEN_ID
from punktfunk.mgmt.contract import Contract, DoesNotMatch
from punktfunk.mgmt.host import MgmtHost

EXTENSION = "punktfunk"

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")

T = TypeVar("T")


@attrs.frozen
class Backing:
    """What an app was made with."""

    host: MgmtHost
    contract: Contract
    access: Access


def backing() -> Backing:
    found: Backing = current_app.extensions[EXTENSION]
    return found


def host() -> MgmtHost:
    return backing().host


def still_welcome() -> Callable[[], bool]:
    """For an answer that goes on and on: a question to ask before each part of it."""
    access, caller, login = backing().access, g.caller, g.login
    if login is not None:
        return lambda: access.logins.is_open(login)
    return lambda: access.is_good(caller)


def reader() -> Reader:
    """Who asks, for an answer that goes on and on. A token that was made shares its places
    with everybody who logged in with it; the administrator's browsers have their own.
    """
    caller, login = g.caller, g.login
    if login is None:
        return Reader(caller.token_id)
    is_own = caller.token_id == OWN_TOKEN_ID
    return Reader(login.key if is_own else caller.token_id, is_person=True)


def operation_id() -> str:
    """Of the route that is being answered: its endpoint's name without the blueprint's."""
    return (request.endpoint or "").rpartition(".")[2]


async def body(wanted: type[T]) -> T:
    """Read the body, hold it to the schema, and only then make a value of it.

    Raises:
        HTTPException: 413, 415, or 400 for what is no JSON.
        DoesNotMatch: it is JSON, but not what the operation takes.
    """
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("the body must be application/json")
    try:
        plain = json.loads(await request.get_data(), parse_constant=_no_such_number)
    except (ValueError, RecursionError):
        raise BadRequest("the body is not JSON") from None
    backing().contract.check_body(operation_id(), plain)
    return from_json(plain, wanted)


def query_int(name: str) -> int | None:
    """Read a whole number from the query; None when it is not there.

    Raises:
        DoesNotMatch: it is something else, out of bounds, or there twice.
    """
    texts = request.args.getlist(name)
    if not texts:
        return None
    if len(texts) > 1 or not _WHOLE_NUMBER.fullmatch(texts[0]):
        raise DoesNotMatch(f"{name} must be one whole number")
    backing().contract.check_parameter(operation_id(), name, int(texts[0]))
    return int(texts[0])


def query_text(name: str) -> str:
    """Read a text from the query; empty when it is not there.

    Raises:
        DoesNotMatch: it is not one that the contract allows, or there twice.
    """
    texts = request.args.getlist(name)
    if not texts:
        return ""
    if len(texts) > 1:
        raise DoesNotMatch(f"{name} may be there once")
    backing().contract.check_parameter(operation_id(), name, texts[0])
    return texts[0]


def path_int(name: str, text: str) -> int:
    """Read a whole number from the path.

    Raises:
        NotFound: it is something else.
        DoesNotMatch: it is out of bounds.
    """
    if not _WHOLE_NUMBER.fullmatch(text):
        raise NotFound("there is nothing here by that number")
    backing().contract.check_parameter(operation_id(), name, int(text))
    return int(text)


def done(status: int) -> Response:
    """An answer without a body, and so without a type; with 204 a length would be wrong too."""
    answer = Response(b"", status)
    del answer.headers["Content-Type"]
    if status == 204:
        del answer.headers["Content-Length"]
    return answer


def _no_such_number(text: str) -> NoReturn:
    raise ValueError(f"JSON has no {text}")
