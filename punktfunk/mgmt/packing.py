"""Long answers go packed to those who can unpack them."""

import asyncio
import gzip

from quart import Quart, Response, request

LEAST_BYTES = 8_192
LEVEL = 3
_TYPE = "application/json"


def install_packing(app: Quart) -> None:
    """Pack what is read as JSON and long. What is short, or an answer to a change, may hold a
    secret: its length shall not tell what else is in it.
    """

    @app.after_request
    async def pack_json(response: Response) -> Response:
        length = response.content_length or 0
        if request.method != "GET" or response.mimetype != _TYPE or length < LEAST_BYTES:
            return response
        return await packed(response)


async def packed(response: Response) -> Response:
    """Pack an answer that holds no secret, for who can unpack it."""
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"] > 0:
        plain = await response.get_data(as_text=False)
        # Megabytes, perhaps: beside the event loop.
        response.set_data(await asyncio.to_thread(gzip.compress, plain, LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response
