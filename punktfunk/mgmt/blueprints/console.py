"""A way into the console for whoever has a token already."""

from quart import Blueprint, g
from quart.typing import ResponseReturnValue

from punktfunk.mgmt import requests
from punktfunk.mgmt.access_values import ConsoleLink
from punktfunk.mgmt.as_json import to_json
from punktfunk.mgmt.links import LINK_S

blueprint = Blueprint("console", __name__)


@blueprint.post("/console/link", endpoint="createConsoleLink")
async def create_console_link() -> ResponseReturnValue:
    code = requests.backing().access.links.make(g.caller)
    return to_json(ConsoleLink(code=code, expires_in_s=LINK_S)), 201


@blueprint.delete("/console/logins", endpoint="closeConsoleLogins")
async def close_console_logins() -> ResponseReturnValue:
    requests.backing().access.logins.close_all()
    return requests.done(204)
