"""One game: how it starts, what its sessions get, and the form for a person's own entries."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from quart import Blueprint, render_template
from werkzeug.exceptions import NotFound

from punktfunk.console.language import _
from punktfunk.console.overrides import own_settings
from punktfunk.console.pages.library import art_of, cover_of, store_name
from punktfunk.console.shell import page
from punktfunk.library import CustomGame, CustomInput, Library
from punktfunk.library.custom_art import KINDS
from punktfunk.library.merging import COMMAND, CUSTOM_STORE, STEAM_APPID
from punktfunk.mgmt.requests import host
from punktfunk.model.games import GameEntry, LaunchTarget

NOTHING = ""

blueprint = Blueprint("library_title", __name__)


@attrs.frozen(kw_only=True)
class LaunchKind:
    """A way to start something, as the form has it.

    Attributes:
        games: Of a store's own kind: what can be chosen, and how it is called.
    """

    kind: str
    title: str
    value: str = ""
    games: Sequence[tuple[str, str]] = ()


@blueprint.get("/library/new")
async def library_new() -> str:
    return await _form_page(None)


@blueprint.get("/library/<id>")
async def library_title(id: str) -> str:  # noqa: A002 - the path's name
    if (game := host().library.find(id)) is None:
        raise NotFound
    own = own_settings(host().operations.config.loaded, app=id)
    return await page("library_title.html", "library", **_title(game), own=own)


@blueprint.get("/library/<id>/edit")
async def library_edit(id: str) -> str:  # noqa: A002
    entry = host().library.own(id.removeprefix(f"{CUSTOM_STORE}:"))
    if entry is None:
        raise NotFound
    return await _form_page(entry)


@blueprint.get("/parts/library-title/<id>")
async def library_title_part(id: str) -> str:  # noqa: A002
    game = host().library.find(id)
    return await render_template("library_about.html", **(_title(game) if game else {"id": id}))


@blueprint.get("/parts/library-settings/<id>")
async def library_settings_part(id: str) -> str:  # noqa: A002
    own = own_settings(host().operations.config.loaded, app=id)
    return await render_template("library_settings.html", id=id, own=own)


def _title(game: GameEntry) -> dict[str, Any]:
    library = host().library
    return {
        "id": game.id,
        "game": game,
        "cover": cover_of(game, library),
        "art": art_of(game, library),
        "start": _start_in_words(game),
        "exactly": shlex.join(game.launch.argv) if game.launch else "",
        "entry": game.id.removeprefix(f"{CUSTOM_STORE}:") if game.store == CUSTOM_STORE else "",
    }


def _start_in_words(game: GameEntry) -> str:
    target = game.target
    if target is None:
        return _("Nobody has said how it starts.")
    if target.kind == COMMAND:
        return _("A command, run by a shell as the user of this host.")
    if game.launch is None:
        return _("The store that knows how it starts is not here now.")
    if target.kind == STEAM_APPID:
        return _("Steam starts its app %(number)s.", number=target.value)
    store = target.kind.split("_")[0] if game.store == CUSTOM_STORE else game.store
    return _("%(store)s knows how it starts.", store=store_name(store))


async def _form_page(entry: CustomGame | None) -> str:
    library = host().library
    game = library.find(f"{CUSTOM_STORE}:{entry.id}") if entry else None
    shown = entry or CustomInput(title="")
    return await page(
        "library_form.html",
        "library",
        entry=entry,
        title=shown.title,
        addresses=attrs.asdict(shown.art),
        chosen=shown.launch.kind if shown.launch else NOTHING if entry else COMMAND,
        kinds=_kinds(library, shown.launch),
        pictures=_pictures(art_of(game, library) if game else {}),
    )


def _kinds(library: Library, now: LaunchTarget | None) -> Sequence[LaunchKind]:
    """The kinds there are, with the entry's own value where it is of one."""
    games: dict[str, dict[str, str]] = {STEAM_APPID: {}}
    for game in library.games():
        if game.target and game.store != CUSTOM_STORE and game.target.kind != COMMAND:
            games.setdefault(game.target.kind, {})[game.target.value] = game.title
    if now and now.kind != COMMAND:
        games.setdefault(now.kind, {}).setdefault(now.value, now.value)

    def value(kind: str) -> str:
        return now.value if now and now.kind == kind else ""

    return [
        LaunchKind(kind=COMMAND, title=_("A command"), value=value(COMMAND)),
        *(
            LaunchKind(
                kind=kind,
                title=store_name(kind.split("_")[0]),
                value=value(kind),
                games=tuple(titles.items()),
            )
            for kind, titles in games.items()
        ),
    ]


def _pictures(art: Mapping[str, str]) -> Sequence[tuple[str, str, str]]:
    """Kind, how it is called, and the picture that is there."""
    names = {
        "portrait": _("Cover"),
        "header": _("Banner"),
        "hero": _("Background"),
        "logo": _("Logo"),
    }
    return [(kind, names[kind], art.get(kind, "")) for kind in sorted(KINDS, key=list(names).index)]
