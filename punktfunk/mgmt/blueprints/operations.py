"""Looking after the host: plugins, configuration, log, health, leftovers."""

from collections.abc import Callable

from quart import Blueprint
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, NotFound

from punktfunk.config.chain import explain
from punktfunk.config.editing import ConfigChange
from punktfunk.config.report import config_as_json
from punktfunk.errors import ConfigError
from punktfunk.mgmt import requests
from punktfunk.mgmt.as_json import to_json
from punktfunk.mgmt.host import Config
from punktfunk.mgmt.operations_values import ConfigPatch, PluginInfo, SettingExplained
from punktfunk.model.clients import as_fingerprint_start

DEFAULT_LOG_LINES = 200

blueprint = Blueprint("operations", __name__)


@blueprint.get("/plugins", endpoint="listPlugins")
async def list_plugins() -> ResponseReturnValue:
    reports = requests.host().operations.plugins()
    return [to_json(PluginInfo.of(report)) for report in reports]


@blueprint.get("/config", endpoint="getConfig")
async def get_config() -> ResponseReturnValue:
    config = requests.host().operations.config
    return {**config_as_json(config.loaded), "restart_required": sorted(config.waiting)}


@blueprint.patch("/config", endpoint="patchConfig")
async def patch_config() -> ResponseReturnValue:
    wanted = await requests.body(ConfigPatch)
    return _changed(lambda config: config.change(wanted.set, wanted.unset))


@blueprint.post("/config/reload", endpoint="reloadConfig")
async def reload_config() -> ResponseReturnValue:
    return _changed(lambda config: config.reload())


@blueprint.get("/config/explain", endpoint="explainConfig")
async def explain_config() -> ResponseReturnValue:
    loaded = requests.host().operations.config.loaded
    client = requests.query_text("client")
    client = as_fingerprint_start(client) if client else ""
    found = explain(loaded, requests.query_text("app"), client)
    return [to_json(SettingExplained.of(it)) for it in found]


@blueprint.get("/logs", endpoint="getLogs")
async def get_logs() -> ResponseReturnValue:
    limit = requests.query_int("limit")
    level = requests.query_text("level") or "debug"
    lines = requests.host().operations.log.last(limit or DEFAULT_LOG_LINES, level)
    return [to_json(line) for line in lines]


@blueprint.get("/doctor", endpoint="runDoctor")
async def run_doctor() -> ResponseReturnValue:
    return dict(await requests.host().operations.doctor())


@blueprint.get("/undo", endpoint="listEffects")
async def list_effects() -> ResponseReturnValue:
    return [to_json(it) for it in requests.host().operations.leftovers()]


@blueprint.post("/undo", endpoint="undoEffects")
async def undo_effects() -> ResponseReturnValue:
    return [to_json(it) for it in await requests.host().operations.undo()]


@blueprint.delete("/undo/<id>", endpoint="forgetEffect")
async def forget_effect(id: str) -> ResponseReturnValue:  # noqa: A002 - the path's name
    if not requests.host().operations.forget_effect(id):
        raise NotFound("nothing that is left behind has that id")
    return requests.done(204)


def _changed(act: Callable[[Config], ConfigChange]) -> ResponseReturnValue:
    try:
        change = act(requests.host().operations.config)
    except ConfigError as error:
        raise BadRequest(str(error)) from error
    return to_json(change)  # type: ignore[no-any-return]
