"""The log as it is written. Its lines come to the page through the API, by `static/logs.js`."""

from quart import Blueprint, g

from punktfunk.console.shell import N_, page
from punktfunk.mgmt.requests import host
from punktfunk.model.access import Scope

PLACE = "logs"
LEVELS = {
    "debug": N_("Everything"),
    "info": N_("From info up"),
    "warning": N_("From warnings up"),
    "error": N_("Errors only"),
}

blueprint = Blueprint("logs", __name__)


@blueprint.get("/logs")
async def logs() -> str:
    return await page(
        "logs.html",
        PLACE,
        levels=LEVELS,
        written=host().operations.config.loaded.settings.host.log_level,
        may_read=g.login.scope.includes(Scope.ADMIN),
    )
