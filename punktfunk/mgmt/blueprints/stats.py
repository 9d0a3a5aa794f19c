"""Streaming performance-stats capture."""

import asyncio

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from punktfunk.mgmt import requests, sse
from punktfunk.mgmt.as_json import to_json
from punktfunk.stats import Capture, as_json

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
    stats = requests.host().stats
    capture, token = stats.live(), stats.feed.token()
    if capture is None:
        raise NotFound("no capture is recording")
    answer = await _answer(capture)
    answer.headers["Last-Event-ID"] = token
    return answer


@blueprint.get("/stats/stream", endpoint="streamStats")
async def stream_stats() -> ResponseReturnValue:
    after = requests.query_text("after")
    after = request.headers.get("Last-Event-ID", after)
    return sse.answer(
        lambda reader: requests.host().stats.feed.subscribe(after or None, reader=reader),
        lambda sample: ("sample", sample.decode()),
    )


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
    text = await asyncio.to_thread(as_json, capture)
    return Response(text, mimetype="application/json")
