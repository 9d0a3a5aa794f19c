"""What clients have running, and where the time of each picture goes."""

from typing import Any

from quart import Blueprint, render_template

from punktfunk.console.pages.sessions_shown import runtime, shown_sessions
from punktfunk.console.shell import page

blueprint = Blueprint("sessions", __name__)


@blueprint.get("/sessions")
async def sessions() -> str:
    return await page("sessions.html", "sessions", **_now())


@blueprint.get("/parts/sessions")
async def sessions_part() -> str:
    return await render_template("sessions_part.html", **_now())


def _now() -> dict[str, Any]:
    status = runtime()
    return {"sessions": shown_sessions(status.sessions), "paired": status.paired_clients}
