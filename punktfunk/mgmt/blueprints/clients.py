"""Paired Moonlight client management."""

from quart import Blueprint
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from punktfunk.mgmt import requests
from punktfunk.mgmt.as_json import to_json
from punktfunk.mgmt.values import UpdateClient
from punktfunk.model.clients import as_fingerprint

blueprint = Blueprint("clients", __name__)


@blueprint.get("/clients", endpoint="listPairedClients")
async def list_paired_clients() -> ResponseReturnValue:
    return [to_json(client) for client in requests.host().clients()]


@blueprint.patch("/clients/<fingerprint>", endpoint="updateClient")
async def update_client(fingerprint: str) -> ResponseReturnValue:
    wanted = await requests.body(UpdateClient)
    client = requests.host().rename(as_fingerprint(fingerprint), wanted.name)
    if client is None:
        raise NotFound("no paired client has that fingerprint")
    return to_json(client)  # type: ignore[no-any-return]


@blueprint.delete("/clients/<fingerprint>", endpoint="unpairClient")
async def unpair_client(fingerprint: str) -> ResponseReturnValue:
    if not await requests.host().unpair(as_fingerprint(fingerprint)):
        raise NotFound("no paired client has that fingerprint")
    return requests.done(204)
