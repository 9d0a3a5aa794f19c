"""Host identity, capabilities, and liveness."""

from quart import Blueprint
from quart.typing import ResponseReturnValue

from punktfunk.mgmt import requests, views
from punktfunk.mgmt.as_json import to_json
from punktfunk.mgmt.values import Health

blueprint = Blueprint("host", __name__)


@blueprint.get("/health", endpoint="getHealth")
async def get_health() -> ResponseReturnValue:
    return to_json(Health())  # type: ignore[no-any-return]


@blueprint.get("/host", endpoint="getHostInfo")
async def get_host_info() -> ResponseReturnValue:
    return to_json(requests.host().info())  # type: ignore[no-any-return]


@blueprint.get("/status", endpoint="getStatus")
async def get_status() -> ResponseReturnValue:
    host = requests.host()
    status = views.runtime_status(
        host.sessions(),
        paired_clients=len(host.clients()),
        pin_pending=bool(host.pending_pairings()),
    )
    return to_json(status)  # type: ignore[no-any-return]


@blueprint.get("/compositors", endpoint="listCompositors")
async def list_compositors() -> ResponseReturnValue:
    return to_json(views.compositors(requests.host().compositors()))  # type: ignore[no-any-return]
