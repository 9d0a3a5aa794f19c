"""Streaming performance-stats capture."""

import asyncio
import gzip

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from punktfunk.mgmt import requests
from punktfunk.mgmt.as_json import to_json
from punktfunk.stats import Capture, as_json

GZIP_LEVEL = 3

blueprint = Blueprint("stats", __name__)


@blueprint.get("/stats/capture/status", endpoint="statsCaptureStatus")
async def stats_capture_status() -> ResponseReturnValue:
    return to_json(requests.host().stats.status())  # type: ignore[no-any-return]


@blueprint.post("/stats/capture/start", endpoint="statsCaptureStart")
async def stats_capture_start() -> ResponseReturnValue:
    return to_json(await requests.host().stats.start())  # type: ignore[no-any-return]


@blueprint.post("/stats/capture/stop", endpoint="statsCaptureStop")
async def stats_capture_stop() -> ResponseReturnValue:
    meta = await requests.host().stats.stop()
    return requests.done(204) if meta is None else to_json(meta)


@blueprint.get("/stats/capture/live", endpoint="statsCaptureLive")
async def stats_capture_live() -> ResponseReturnValue:
    capture = requests.host().stats.live()
    if capture is None:
        raise NotFound("no capture is recording")
    return await _answer(capture)


@blueprint.get("/stats/recordings", endpoint="statsRecordingsList")
async def stats_recordings_list() -> ResponseReturnValue:
    return to_json(await requests.host().stats.recordings())  # type: ignore[no-any-return]


@blueprint.get("/stats/recordings/<id>", endpoint="statsRecordingGet")
async def stats_recording_get(id: str) -> ResponseReturnValue:  # noqa: A002 - the contract's name
    return await _answer(await requests.host().stats.get(id))


@blueprint.delete("/stats/recordings/<id>", endpoint="statsRecordingDelete")
async def stats_recording_delete(id: str) -> ResponseReturnValue:  # noqa: A002
    await requests.host().stats.delete(id)
    return requests.done(204)


async def _answer(capture: Capture) -> Response:
    """Megabytes, so they are put together beside the event loop."""
    packed = request.accept_encodings["gzip"] > 0
    text = await asyncio.to_thread(_encode, capture, packed)
    answer = Response(text, mimetype="application/json")
    answer.headers["Vary"] = "Accept-Encoding"
    if packed:
        answer.headers["Content-Encoding"] = "gzip"
    return answer


def _encode(capture: Capture, packed: bool) -> bytes:
    text = as_json(capture)
    return gzip.compress(text, GZIP_LEVEL, mtime=0) if packed else text
