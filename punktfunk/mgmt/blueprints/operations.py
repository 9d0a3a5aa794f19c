"""Looking after the host: plugins, configuration, log, health, leftovers."""

import json
from collections.abc import Callable
from typing import Any

from quart import Blueprint, current_app, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, NotFound

from punktfunk.config.chain import explain
from punktfunk.config.editing import ConfigChange
from punktfunk.config.report import config_as_json
from punktfunk.errors import ConfigError
from punktfunk.mgmt import requests, sse
from punktfunk.mgmt.as_json import to_json
from punktfunk.mgmt.host import Config
from punktfunk.mgmt.operations_values import (
    ConfigPatch,
    OverridePut,
    SettingExplained,
    plugin_infos,
)
from punktfunk.model.clients import as_fingerprint_start

DEFAULT_LOG_LINES = 200

blueprint = Blueprint("operations", __name__)


@blueprint.get("/plugins", endpoint="listPlugins")
async def list_plugins() -> ResponseReturnValue:
    return _plugins()


@blueprint.post("/plugins/probe", endpoint="probePlugins")
async def probe_plugins() -> ResponseReturnValue:
    await requests.host().operations.probe()
    return _plugins()


@blueprint.get("/config", endpoint="getConfig")
async def get_config() -> ResponseReturnValue:
    config = requests.host().operations.config
    return {**config_as_json(config.loaded), "restart_required": sorted(config.waiting)}


@blueprint.patch("/config", endpoint="patchConfig")
async def patch_config() -> ResponseReturnValue:
    wanted = await requests.body(ConfigPatch)
    return _changed(lambda config: config.change(wanted.set, wanted.unset))


@blueprint.put("/config/override", endpoint="putOverride")
async def put_override() -> ResponseReturnValue:
    wanted = await requests.body(OverridePut)
    client = as_fingerprint_start(wanted.client) if wanted.client else ""
    return _changed(
        lambda config: config.override(wanted.app, client, wanted.settings, wanted.expected)
    )


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
    answer = await current_app.make_response([to_json(line) for line in lines])
    answer.headers["Last-Event-ID"] = requests.host().operations.log.feed.token()
    return answer


@blueprint.get("/logs/stream", endpoint="streamLogs")
async def stream_logs() -> ResponseReturnValue:
    after = requests.query_text("after")
    after = request.headers.get("Last-Event-ID", after)
    return sse.answer(
        lambda reader: requests.host().operations.log.feed.subscribe(after or None, reader=reader),
        lambda line: ("line", json.dumps(to_json(line), separators=(",", ":"))),
    )


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


def _plugins() -> list[dict[str, Any]]:
    operations = requests.host().operations
    return [to_json(it) for it in plugin_infos(operations.plugins(), operations.outlooks())]


def _changed(act: Callable[[Config], ConfigChange]) -> ResponseReturnValue:
    try:
        change = act(requests.host().operations.config)
    except ConfigError as error:
        raise BadRequest(str(error)) from error
    return to_json(change)  # type: ignore[no-any-return]
