"""The game library: what stores list, and a person's own entries."""

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import attrs
from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import InternalServerError, NotFound

from punktfunk.library import CustomInput
from punktfunk.library.pictures import Picture, read_picture
from punktfunk.mgmt import requests
from punktfunk.mgmt.as_json import to_json
from punktfunk.mgmt.library_views import game_info
from punktfunk.model.games import Artwork, GameEntry

ART_AGE_S = 3_600

_KINDS = frozenset(field.name for field in attrs.fields(Artwork))

blueprint = Blueprint("library", __name__)
log = logging.getLogger(__name__)


@blueprint.get("/library", endpoint="getLibrary")
async def get_library() -> ResponseReturnValue:
    return Response(_games_json(requests.host().library.games()), mimetype="application/json")


@blueprint.get("/library/stores", endpoint="listStores")
async def list_stores() -> ResponseReturnValue:
    return to_json(requests.host().library.stores())  # type: ignore[no-any-return]


@blueprint.post("/library/refresh", endpoint="refreshLibrary")
async def refresh_library() -> ResponseReturnValue:
    await requests.host().library.refresh()
    return to_json(requests.host().library.stores())  # type: ignore[no-any-return]


@blueprint.get("/library/art/<id>/<kind>", endpoint="getArtwork")
async def get_artwork(id: str, kind: str) -> ResponseReturnValue:  # noqa: A002 - the contract's name
    picture = await asyncio.to_thread(_picture, requests.host().library.find(id), kind)
    if picture is None:
        raise NotFound("there is no such picture here")
    answer = Response(picture.data, mimetype=picture.media_type)
    answer.headers["Cache-Control"] = f"private, max-age={ART_AGE_S}"
    answer.set_etag(sha256(picture.data).hexdigest())
    await answer.make_conditional(request)
    return answer


@blueprint.post("/library/custom", endpoint="createCustomGame")
async def create_custom_game() -> ResponseReturnValue:
    wanted = await requests.body(CustomInput)
    with _writing():
        return to_json(requests.host().library.create(wanted)), 201


@blueprint.put("/library/custom/<id>", endpoint="updateCustomGame")
async def update_custom_game(id: str) -> ResponseReturnValue:  # noqa: A002
    wanted = await requests.body(CustomInput)
    with _writing():
        game = requests.host().library.update(id, wanted)
    if game is None:
        raise NotFound("no entry of your own has that id")
    return to_json(game)  # type: ignore[no-any-return]


@blueprint.delete("/library/custom/<id>", endpoint="deleteCustomGame")
async def delete_custom_game(id: str) -> ResponseReturnValue:  # noqa: A002
    with _writing():
        found = requests.host().library.delete(id)
    if not found:
        raise NotFound("no entry of your own has that id")
    return requests.done(204)


def _picture(game: GameEntry | None, kind: str) -> Picture | None:
    """Read one of the files that the library lists, and no other."""
    place = getattr(game.art, kind) if game and kind in _KINDS else None
    return read_picture(Path(place)) if place and place.startswith("/") else None


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        log.error("library.json could not be written: %s", error)
        raise InternalServerError(f"library.json could not be written: {error.strerror}") from None


class _LastGames:
    """The library as JSON, made once for each state of it."""

    games: tuple[GameEntry, ...] | None = None
    text = b""


def _games_json(games: tuple[GameEntry, ...]) -> bytes:
    if _LastGames.games is not games:
        _LastGames.text = json.dumps(to_json([game_info(game) for game in games])).encode()
        _LastGames.games = games
    return _LastGames.text
