"""The first page: what goes on, and whether everything that is needed is there."""

import time
from typing import Any

from quart import Blueprint, g, render_template

from punktfunk.console.pages.addresses import for_moonlight, of_console
from punktfunk.console.pages.home_checks import parts_of
from punktfunk.console.pages.home_happenings import happenings
from punktfunk.console.pages.sessions_shown import runtime, shown_sessions
from punktfunk.console.shell import page
from punktfunk.console.words import apart
from punktfunk.mgmt import requests
from punktfunk.mgmt.host import MgmtHost
from punktfunk.model.access import Scope

CHECKS_KEPT_S = 600

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
async def home() -> str:
    return await page("home.html", "", **_now(), **_here(), happenings=happenings())


@blueprint.get("/parts/home-now")
async def now_part() -> str:
    return await render_template("home_now.html", **_now(), **_here())


@blueprint.get("/parts/home-here")
async def here_part() -> str:
    return await render_template("home_here.html", **_here())


@blueprint.get("/parts/home-happenings")
async def happenings_part() -> str:
    return await render_template("home_happenings.html", happenings=happenings())


@blueprint.get("/parts/home-checks")
async def checks_part() -> str:
    """Look at the machine, unless that was done lately or would disturb a stream."""
    host = requests.host()
    operations = host.operations
    may_look = g.login.scope.includes(Scope.ADMIN)
    if may_look and not _is_recent(host) and not runtime().video_streaming:
        await operations.doctor()
    examined = operations.examined
    values = {
        "examined": examined,
        "parts": parts_of(examined.report) if examined else (),
        "may_look": may_look,
        "left": sum(not it.running for it in operations.leftovers()),
    }
    return await render_template("home_checks.html", **values)


def _is_recent(host: MgmtHost) -> bool:
    examined = host.operations.examined
    return examined is not None and time.time() - examined.unix_s < CHECKS_KEPT_S


def _now() -> dict[str, Any]:
    status = runtime()
    clients = [it for session in status.sessions for it in session.clients if it.streaming]
    return {
        "sessions": shown_sessions(status.sessions),
        "streaming": len(clients),
        "device": apart(clients[0].client_name) if clients else "",
        "paired": status.paired_clients,
        "waiting": requests.host().pending_pairings(),
    }


def _here() -> dict[str, Any]:
    info = requests.host().info()
    return {
        "info": info,
        "addresses": for_moonlight(),
        "only_here": all(address in ("127.0.0.1", "::1") for address in info.addresses),
        "management": of_console(),
        "config": requests.host().operations.config,
    }
