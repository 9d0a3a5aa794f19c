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
from werkzeug.exceptions import (
    InternalServerError,
    NotFound,
    ServiceUnavailable,
    UnsupportedMediaType,
)

from punktfunk.library import CustomInput, Library
from punktfunk.library.custom import LIBRARY_FILE
from punktfunk.library.custom_art import KINDS, redrawn
from punktfunk.library.hidden import HIDDEN_FILE
from punktfunk.library.merging import CUSTOM_STORE
from punktfunk.library.pictures import Picture, read_picture
from punktfunk.mgmt import requests
from punktfunk.mgmt.as_json import to_json
from punktfunk.mgmt.library_views import addresses_only, game_info
from punktfunk.model.games import GameEntry

ART_AGE_S = 3_600

_PICTURE_TYPES = frozenset({"image/png", "image/jpeg", "image/webp"})
_NO_ENTRY = "no entry of your own has that id"

blueprint = Blueprint("library", __name__)
log = logging.getLogger(__name__)
_two_coming = asyncio.Semaphore(2)  # each is megabytes, and may take minutes
_one_drawing = asyncio.Semaphore(1)


@blueprint.get("/library", endpoint="getLibrary")
async def get_library() -> ResponseReturnValue:
    return Response(_games_json(requests.host().library), mimetype="application/json")


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
    wanted = attrs.evolve(wanted, art=addresses_only(wanted.art, f"{CUSTOM_STORE}:{id}"))
    with _writing():
        game = requests.host().library.update(id, wanted)
    if game is None:
        raise NotFound(_NO_ENTRY)
    return to_json(game)  # type: ignore[no-any-return]


@blueprint.delete("/library/custom/<id>", endpoint="deleteCustomGame")
async def delete_custom_game(id: str) -> ResponseReturnValue:  # noqa: A002
    with _writing():
        found = requests.host().library.delete(id)
    if not found:
        raise NotFound(_NO_ENTRY)
    return requests.done(204)


@blueprint.put("/library/custom/<id>/art/<kind>", endpoint="putCustomArt")
async def put_custom_art(id: str, kind: str) -> ResponseReturnValue:  # noqa: A002
    library = requests.host().library
    if request.mimetype not in _PICTURE_TYPES:
        raise UnsupportedMediaType("the body must be image/png, image/jpeg or image/webp")
    if library.own(id) is None or kind not in KINDS:
        raise NotFound(_NO_ENTRY if kind in KINDS else f"a picture is one of {', '.join(KINDS)}")
    if _two_coming.locked():
        raise ServiceUnavailable("two pictures are on their way here already", retry_after=5)
    async with _two_coming:
        data = await request.get_data(cache=False, as_text=False, parse_form_data=False)
    async with _one_drawing:
        picture = await asyncio.to_thread(redrawn, data, kind)
    with _writing("the picture"):
        if not library.put_picture(id, kind, picture):
            raise NotFound(_NO_ENTRY)
    return requests.done(204)


@blueprint.delete("/library/custom/<id>/art/<kind>", endpoint="deleteCustomArt")
async def delete_custom_art(id: str, kind: str) -> ResponseReturnValue:  # noqa: A002
    if not requests.host().library.remove_picture(id, kind):
        raise NotFound("there is no such picture here")
    return requests.done(204)


@blueprint.put("/library/hidden/<id>", endpoint="hideGame")
async def hide_game(id: str) -> ResponseReturnValue:  # noqa: A002
    with _writing(HIDDEN_FILE):
        found = requests.host().library.hide(id)
    if not found:
        raise NotFound("no game has that id")
    return requests.done(204)


@blueprint.delete("/library/hidden/<id>", endpoint="unhideGame")
async def unhide_game(id: str) -> ResponseReturnValue:  # noqa: A002
    with _writing(HIDDEN_FILE):
        found = requests.host().library.unhide(id)
    if not found:
        raise NotFound("no hidden game has that id")
    return requests.done(204)


def _picture(game: GameEntry | None, kind: str) -> Picture | None:
    """Read one of the files that the library lists, and no other."""
    place = getattr(game.art, kind) if game and kind in KINDS else None
    return read_picture(Path(place)) if place and place.startswith("/") else None


@contextmanager
def _writing(what: str = LIBRARY_FILE) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        log.error("%s could not be written: %s", what, error)
        raise InternalServerError(f"{what} could not be written: {error.strerror}") from None


class _LastGames:
    """The library as JSON, made once for each state of it."""

    games: tuple[GameEntry, ...] | None = None
    text = b""


def _games_json(library: Library) -> bytes:
    games = library.games()
    if _LastGames.games is not games:
        shown = [game_info(it, hidden=library.is_hidden(it.id)) for it in games]
        _LastGames.text = json.dumps(to_json(shown)).encode()
        _LastGames.games = games
    return _LastGames.text
