"""What happens in the host, as it happens."""

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from punktfunk.events import event_json
from punktfunk.mgmt import requests, sse
from punktfunk.mgmt.contract import DoesNotMatch
from punktfunk.model.events import EVENT_TYPES, types_matching

blueprint = Blueprint("events", __name__)


@blueprint.get("/events", endpoint="streamEvents")
async def stream_events() -> ResponseReturnValue:
    types = _wanted_types()
    after = request.headers.get("Last-Event-ID")
    return sse.answer(
        lambda reader: requests.host().events.follow(types, after, reader),
        lambda event: (event.type, event_json(event)),
    )


def _wanted_types() -> frozenset[str]:
    texts = request.args.getlist("types")
    if not texts:
        return frozenset(EVENT_TYPES)
    text = ",".join(texts)
    requests.backing().contract.check_parameter(requests.operation_id(), "types", text)
    try:
        return types_matching(text.split(","))
    except ValueError as error:
        raise DoesNotMatch(f"types: {error}") from None
