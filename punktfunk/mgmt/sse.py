"""Answers that go on and on: server-sent events, for as long as the reader may see them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from quart import Response, request

from punktfunk.events import Gap, Reader, Subscription
from punktfunk.mgmt import requests

KEEP_ALIVE_S = 15.0
RETRY_MS = 3_000

T = TypeVar("T")


def answer(
    subscribe: Callable[[Reader], Subscription[T]], fields: Callable[[T], tuple[str, str]]
) -> Response:
    """Answer with what a subscription brings; `HEAD` needs none.

    Args:
        subscribe: Takes a place for a reader.
        fields: Gives an item's type and what is said of it, one line of JSON.
    """
    headers = {"X-Accel-Buffering": "no"}
    body: bytes | AsyncIterator[bytes] = b""
    if request.method != "HEAD":
        body = _lines(subscribe(requests.reader()), fields, requests.still_welcome())
    response = Response(body, mimetype="text/event-stream", headers=headers)
    response.timeout = None
    return response


async def _lines(
    subscription: Subscription[T],
    fields: Callable[[T], tuple[str, str]],
    still_welcome: Callable[[], bool],
) -> AsyncIterator[bytes]:
    try:
        # The number alone is no event, but where a reader goes on that is cut off early.
        yield f"retry: {RETRY_MS}\nid: {subscription.token}\n\n".encode()
        while True:
            try:
                async with asyncio.timeout(KEEP_ALIVE_S):
                    told = await subscription.next()
                line = b"" if told is None else _event(told, fields, subscription.token)
            except TimeoutError:
                line = b": still here\n\n"
            if not line or not still_welcome():
                return
            yield line
    finally:
        subscription.close()


def _event(told: T | Gap, fields: Callable[[T], tuple[str, str]], token: str) -> bytes:
    if isinstance(told, Gap):
        name, data = "gap", f'{{"type":"gap","reason":"{told.reason}"}}'
    else:
        name, data = fields(told)
    return f"event: {name}\ndata: {data}\nid: {token}\n\n".encode()
