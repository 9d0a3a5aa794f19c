"""Native (punktfunk/1) pairing: arm it, show the PIN, manage its clients."""

from collections.abc import Iterator
from contextlib import contextmanager

from quart import Blueprint
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import InternalServerError, NotFound

from punktfunk.mgmt import requests
from punktfunk.mgmt.access_values import ApprovePending, ArmNativePairing, NativePairStatus
from punktfunk.mgmt.as_json import to_json
from punktfunk.mgmt.values import UpdateClient
from punktfunk.model.clients import as_fingerprint
from punktfunk.trust.native import NativePairing

blueprint = Blueprint("native", __name__)


@blueprint.get("/native/pair", endpoint="getNativePairing")
async def get_native_pairing() -> ResponseReturnValue:
    return to_json(_status(requests.host().native))  # type: ignore[no-any-return]


@blueprint.post("/native/pair/arm", endpoint="armNativePairing")
async def arm_native_pairing() -> ResponseReturnValue:
    wanted = await requests.body(ArmNativePairing)
    native = requests.host().native
    native.arm(wanted.ttl_secs)
    return to_json(_status(native))  # type: ignore[no-any-return]


@blueprint.delete("/native/pair", endpoint="disarmNativePairing")
async def disarm_native_pairing() -> ResponseReturnValue:
    requests.host().native.disarm()
    return requests.done(204)


@blueprint.get("/native/clients", endpoint="listNativeClients")
async def list_native_clients() -> ResponseReturnValue:
    return [to_json(client) for client in requests.host().native.store.clients()]


@blueprint.patch("/native/clients/<fingerprint>", endpoint="updateNativeClient")
async def update_native_client(fingerprint: str) -> ResponseReturnValue:
    wanted = await requests.body(UpdateClient)
    with _writing():
        client = requests.host().native.rename(as_fingerprint(fingerprint), wanted.name)
    if client is None:
        raise NotFound("no paired native client has that fingerprint")
    return to_json(client)  # type: ignore[no-any-return]


@blueprint.delete("/native/clients/<fingerprint>", endpoint="unpairNativeClient")
async def unpair_native_client(fingerprint: str) -> ResponseReturnValue:
    with _writing():
        if not requests.host().native.unpair(as_fingerprint(fingerprint)):
            raise NotFound("no paired native client has that fingerprint")
    return requests.done(204)


@blueprint.get("/native/pending", endpoint="listPendingDevices")
async def list_pending_devices() -> ResponseReturnValue:
    return [to_json(device) for device in requests.host().native.pending()]


@blueprint.post("/native/pending/<id>/approve", endpoint="approvePendingDevice")
async def approve_pending_device(id: str) -> ResponseReturnValue:  # noqa: A002 - the path's name
    number = requests.path_int("id", id)
    wanted = await requests.body(ApprovePending)
    with _writing():
        client = requests.host().native.approve(number, wanted.name)
    if client is None:
        raise NotFound("no device with that number waits; it may have expired")
    return to_json(client)  # type: ignore[no-any-return]


@blueprint.post("/native/pending/<id>/deny", endpoint="denyPendingDevice")
async def deny_pending_device(id: str) -> ResponseReturnValue:  # noqa: A002 - the path's name
    if not requests.host().native.deny(requests.path_int("id", id)):
        raise NotFound("no device with that number waits; it may have expired")
    return requests.done(204)


def _status(native: NativePairing) -> NativePairStatus:
    shown = native.shown_pin()
    return NativePairStatus(
        enabled=native.enabled,
        armed=shown is not None,
        pin=shown.pin if shown else None,
        expires_in_secs=shown.seconds_left if shown else None,
        paired_clients=len(native.store.clients()),
    )


@contextmanager
def _writing() -> Iterator[None]:
    """503 means here that the protocol is off, so a disk that refuses is told apart."""
    try:
        yield
    except OSError as error:
        why = f"the trust store could not be written: {error.strerror}"
        raise InternalServerError(why) from error
