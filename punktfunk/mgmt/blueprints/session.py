"""Active streaming session control."""

from quart import Blueprint
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import Conflict, NotFound

from punktfunk.mgmt import requests

blueprint = Blueprint("session", __name__)


@blueprint.delete("/session", endpoint="stopSession")
async def stop_session() -> ResponseReturnValue:
    await requests.host().stop_sessions(requests.query_int("id"))
    return requests.done(204)


@blueprint.delete("/session/stream/<id>", endpoint="stopStream")
async def stop_stream(id: str) -> ResponseReturnValue:  # noqa: A002 - the path's name
    if not await requests.host().stop_stream(requests.path_int("id", id)):
        raise NotFound("there is no such stream")
    return requests.done(204)


@blueprint.post("/session/idr", endpoint="requestIdr")
async def request_idr() -> ResponseReturnValue:
    if not requests.host().request_keyframes(requests.query_int("id")):
        raise Conflict("nothing is being streamed")
    return requests.done(202)
