"""Who may stream from here: devices that ask to be paired, and those that are."""

from typing import Any

from quart import Blueprint, render_template
from werkzeug.exceptions import NotFound

from punktfunk.console.overrides import own_settings
from punktfunk.console.pages.addresses import for_moonlight
from punktfunk.console.pages.devices_shown import (
    device_of,
    games_of,
    native_window,
    shown_devices,
)
from punktfunk.console.shell import page
from punktfunk.errors import ProtocolError
from punktfunk.mgmt.requests import host
from punktfunk.model.clients import as_fingerprint

PLACE = "devices"

blueprint = Blueprint("devices", __name__)


@blueprint.get("/devices")
async def devices() -> str:
    return await page("devices.html", PLACE, **_waiting(), **_list(), native=native_window())


@blueprint.get("/parts/devices-waiting")
async def waiting_part() -> str:
    return await render_template("devices_waiting.html", **_waiting())


@blueprint.get("/parts/devices-notice")
async def notice_part() -> str:
    return await render_template("devices_notice.html")


@blueprint.get("/parts/devices-list")
async def list_part() -> str:
    return await render_template("devices_list.html", **_list())


@blueprint.get("/parts/devices-native")
async def native_part() -> str:
    return await render_template("devices_native.html", native=native_window())


@blueprint.get("/devices/<fingerprint>")
async def device(fingerprint: str) -> str:
    found = _find_if_paired(fingerprint)
    if found["device"] is None:
        raise NotFound
    return await page("devices_one.html", PLACE, **found, **_own(found["fingerprint"]))


@blueprint.get("/parts/devices-now/<fingerprint>")
async def now_part(fingerprint: str) -> str:
    return await render_template("devices_one_now.html", **_find_if_paired(fingerprint))


@blueprint.get("/parts/devices-own/<fingerprint>")
async def own_part(fingerprint: str) -> str:
    found = _find_if_paired(fingerprint)
    return await render_template("devices_one_own.html", **found, **_own(found["fingerprint"]))


def _waiting() -> dict[str, Any]:
    return {
        "held_off": host().held_off(),
        "address": for_moonlight()[0],
        "first": not host().clients(),
    }


def _list() -> dict[str, Any]:
    return {"devices": shown_devices()}


def _find_if_paired(text: str) -> dict[str, Any]:
    """The device is None once it is not paired any more, which an open page has to say."""
    try:
        fingerprint = as_fingerprint(text)
    except ProtocolError:
        raise NotFound from None
    return {"fingerprint": fingerprint, "device": device_of(fingerprint)}


def _own(fingerprint: str) -> dict[str, Any]:
    loaded = host().operations.config.loaded
    return {
        "own": own_settings(loaded, client=fingerprint),
        "games": games_of(loaded, fingerprint),
    }
