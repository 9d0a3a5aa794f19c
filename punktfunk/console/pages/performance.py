"""Performance: recording what streams do, watching it, and looking at it later."""

from typing import Any

from quart import Blueprint, render_template
from werkzeug.exceptions import NotFound

from punktfunk.console.language import _
from punktfunk.console.shell import page
from punktfunk.mgmt.requests import host
from punktfunk.stats import CaptureMeta, label_of

PLACE = "performance"
CODECS = {"h264": "H.264", "hevc": "HEVC", "av1": "AV1"}

blueprint = Blueprint("performance", __name__)


@blueprint.get("/performance")
async def performance() -> str:
    status, recordings = host().stats.status(), await host().stats.recordings()
    return await page("performance.html", PLACE, status=status, recordings=recordings, **_around())


@blueprint.get("/performance/<recording_id>")
async def recording(recording_id: str) -> str:
    known = {meta.id: meta for meta in await host().stats.recordings()}
    if recording_id not in known:
        raise NotFound
    return await page(
        "performance_recording.html", PLACE, recording=known[recording_id], **_around()
    )


@blueprint.get("/parts/performance-capture")
async def capture() -> str:
    return await render_template("performance_capture.html", status=host().stats.status())


@blueprint.get("/parts/performance-recordings")
async def recordings() -> str:
    found = await host().stats.recordings()
    return await render_template("performance_recordings.html", recordings=found, **_around())


def _around() -> dict[str, Any]:
    """What tells a recording's stream: devices by what recordings call them, codecs, modes."""
    devices = {label_of(client.fingerprint): client.name for client in host().clients()}
    return {"devices": devices, "codecs": CODECS, "mode": _mode}


def _mode(meta: CaptureMeta) -> str:
    if not meta.width:
        return "–"
    return _(
        "%(width)s × %(height)s, %(fps)s Hz", width=meta.width, height=meta.height, fps=meta.fps
    )
