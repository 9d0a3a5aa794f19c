"""What happens in the host, as it happens."""

import asyncio
from collections.abc import AsyncIterator, Callable

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from punktfunk.events import Gap, Subscription, event_json
from punktfunk.mgmt import requests
from punktfunk.mgmt.contract import DoesNotMatch
from punktfunk.model.events import EVENT_TYPES, Event, types_matching

KEEP_ALIVE_S = 15.0
RETRY_MS = 3_000

blueprint = Blueprint("events", __name__)


@blueprint.get("/events", endpoint="streamEvents")
async def stream_events() -> ResponseReturnValue:
    types = _wanted_types()
    if request.method == "HEAD":
        return _answer(b"")
    after = request.headers.get("Last-Event-ID")
    subscription = requests.host().events.subscribe(types, after)
    answer = _answer(_lines(subscription, requests.still_welcome()))
    answer.timeout = None
    return answer


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


def _answer(body: bytes | AsyncIterator[bytes]) -> Response:
    return Response(body, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _lines(
    subscription: Subscription, still_welcome: Callable[[], bool]
) -> AsyncIterator[bytes]:
    try:
        # The number alone is no event, but where a reader goes on that is cut off early.
        yield f"retry: {RETRY_MS}\nid: {subscription.token}\n\n".encode()
        while True:
            try:
                async with asyncio.timeout(KEEP_ALIVE_S):
                    told = await subscription.next()
                line = f"{_fields(told)}id: {subscription.token}\n\n".encode() if told else b""
            except TimeoutError:
                line = b": still here\n\n"
            if not line or not still_welcome():
                return
            yield line
    finally:
        subscription.close()


def _fields(told: Event | Gap) -> str:
    if isinstance(told, Gap):
        return f'event: gap\ndata: {{"type":"gap","reason":"{told.reason}"}}\n'
    return f"event: {told.type}\ndata: {event_json(told)}\n"
