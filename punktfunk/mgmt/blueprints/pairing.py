"""Pairing PIN delivery."""

from quart import Blueprint
from quart.typing import ResponseReturnValue

from punktfunk.mgmt import requests
from punktfunk.mgmt.as_json import to_json
from punktfunk.mgmt.values import SubmitPin

blueprint = Blueprint("pairing", __name__)


@blueprint.get("/pair", endpoint="getPairingStatus")
async def get_pairing_status() -> ResponseReturnValue:
    host = requests.host()
    pending = host.pending_pairings()
    return {
        "pin_pending": bool(pending),
        "pending": [to_json(device) for device in pending],
        "held_off": [to_json(device) for device in host.held_off()],
    }


@blueprint.post("/pair/pin", endpoint="submitPairingPin")
async def submit_pairing_pin() -> ResponseReturnValue:
    wanted = await requests.body(SubmitPin)
    requests.host().submit_pin(wanted.pin, wanted.id)
    return requests.done(204)
