"""Settings: every one of them, who has a token, and how the pages look."""

import os
import time

from quart import Blueprint, g, render_template

from punktfunk.console.pages.settings_shown import only_in_the_file, sections
from punktfunk.console.shell import N_, THEMES, page
from punktfunk.mgmt.requests import backing, host
from punktfunk.model.access import Scope

PLACE = "settings"
RESTART = "systemctl --user restart punktfunk"
THEME_WORDS = dict(zip(THEMES, (N_("As the device"), N_("Light"), N_("Dark")), strict=True))
SCOPES = {
    Scope.READ: N_("Look only"),
    Scope.CONTROL: N_("Look, pair, start and stop"),
    Scope.ADMIN: N_("Everything"),
}

blueprint = Blueprint("settings", __name__)


@blueprint.get("/settings")
async def settings() -> str:
    return await page("settings.html", PLACE, **_values(), **_access_values())


@blueprint.get("/parts/settings-list")
async def settings_list() -> str:
    return await render_template("settings_list.html", **_values())


@blueprint.get("/parts/settings-access")
async def access() -> str:
    return await render_template("settings_access.html", **_access_values())


def _values() -> dict[str, object]:
    config = host().operations.config
    return {
        "sections": sections(config.loaded, config.waiting),
        "from_file": only_in_the_file(config.loaded),
        "file": str(config.loaded.file),
        "warnings": config.loaded.warnings,
        "waiting": sorted(config.waiting),
        "restart": RESTART if "INVOCATION_ID" in os.environ else "",
    }


def _access_values() -> dict[str, object]:
    may_see = g.login.scope.includes(Scope.ADMIN)
    since_s = (backing().access.now_ns() - g.login.opened_ns) / 1_000_000_000
    return {
        "tokens": host().tokens.tokens() if may_see else (),
        "scopes": SCOPES,
        "theme_words": THEME_WORDS,
        "now_unix": time.time(),
        "logged_in_since": time.time() - since_s,
        "login": g.login,
    }
