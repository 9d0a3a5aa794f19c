"""Tokens for programs: made with a scope, shown once, revoked at any time."""

from quart import Blueprint
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from punktfunk.mgmt import requests
from punktfunk.mgmt.access_values import CreatedToken, CreateToken
from punktfunk.mgmt.as_json import to_json

blueprint = Blueprint("tokens", __name__)


@blueprint.get("/tokens", endpoint="listTokens")
async def list_tokens() -> ResponseReturnValue:
    return [to_json(token) for token in requests.host().tokens.tokens()]


@blueprint.post("/tokens", endpoint="createToken")
async def create_token() -> ResponseReturnValue:
    wanted = await requests.body(CreateToken)
    text, made = requests.host().tokens.create(wanted.scope, wanted.name or "", wanted.expires_days)
    return to_json(CreatedToken(token=text, info=made)), 201


@blueprint.delete("/tokens/<id>", endpoint="revokeToken")
async def revoke_token(id: str) -> ResponseReturnValue:  # noqa: A002 - the path's name
    if not requests.host().tokens.revoke(id):
        raise NotFound("no token has that id")
    return requests.done(204)
