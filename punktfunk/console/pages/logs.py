"""The log as it is written. Its lines come to the page through the API, by `static/logs.js`."""

from quart import Blueprint, g

from punktfunk.config.catalogue import KNOWN
from punktfunk.console.setting_words import value_in_words
from punktfunk.console.shell import page
from punktfunk.mgmt.requests import host
from punktfunk.model.access import Scope

PLACE = "logs"
SETTING = "host.log_level"
blueprint = Blueprint("logs", __name__)


@blueprint.get("/logs")
async def logs() -> str:
    return await page(
        "logs.html",
        PLACE,
        levels=[(it, value_in_words(SETTING, it)) for it in KNOWN[SETTING].rule.choices],
        written=host().operations.config.loaded.settings.host.log_level,
        may_read=g.login.scope.includes(Scope.ADMIN),
    )
