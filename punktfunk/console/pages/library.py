"""Every game, as covers: what stores list and a person's own entries."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote, urlencode
from zlib import crc32

import attrs
from markupsafe import Markup
from quart import Blueprint, Response, g, render_template, request

from punktfunk.console.language import _, language
from punktfunk.console.shell import page, root
from punktfunk.library import Library, StoreState, StoreStatus
from punktfunk.library.merging import CUSTOM_STORE
from punktfunk.mgmt.library_views import game_info
from punktfunk.mgmt.packing import packed
from punktfunk.mgmt.requests import host
from punktfunk.model.access import Scope
from punktfunk.model.games import GameEntry

HUES = 8
_MAX_QUERY = 200
_MAX_DRAWN = 8

blueprint = Blueprint("library", __name__)


@attrs.frozen(kw_only=True)
class Wanted:
    """What a person looks for; all of it is in the page's address."""

    words: tuple[str, ...] = ()
    store: str = ""
    installed: bool = False
    hidden: bool = False

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> "Wanted":
        return cls(
            words=tuple(plain(asked.get("q", "")[:_MAX_QUERY]).split()),
            store=asked.get("store", "")[:_MAX_QUERY],
            installed="installed" in asked,
            hidden="hidden" in asked,
        )

    def has(self, cover: "Cover") -> bool:
        return (
            all(word in cover.text for word in self.words)
            and self.store in ("", cover.store)
            and (cover.installed or not self.installed)
            and (not cover.hidden or self.hidden)
        )


@attrs.frozen(kw_only=True)
class Cover:
    """Attributes:
    path: Of its page, from the console's root.
    art: Address of an upright picture on this host, from the root; empty where there is none.
    banner: The same of a wide one, where there is no upright one.
    hue: Of the placeholder; a title always has the same.
    text: What is searched.
    """

    id: str
    title: str
    path: str
    store: str
    store_name: str
    art: str
    banner: str
    hue: int
    text: str
    installed: bool
    hidden: bool


@attrs.frozen
class StoreChoice:
    name: str
    title: str
    count: int


@blueprint.get("/library")
async def library() -> Response:
    asked = request.args.get("q", "")[:_MAX_QUERY]
    text = await page("library.html", "library", shelf=await _shelf(), asked=asked, **_stores())
    return await packed(Response(text))


@blueprint.get("/parts/library")
async def library_part() -> Response:
    return await packed(Response(await _shelf()))


@blueprint.get("/parts/library-stores")
async def library_stores() -> str:
    return await render_template("library_stores.html", **_stores())


def cover_of(game: GameEntry, library: Library) -> Cover:
    art = art_of(game, library)
    return Cover(
        id=game.id,
        title=game.title,
        path=f"library/{quote(game.id, safe=':')}",
        store=game.store,
        store_name=store_name(game.store),
        art=art.get("portrait", ""),
        banner="" if "portrait" in art else art.get("header", ""),
        hue=crc32(game.title.encode(errors="replace")) % HUES,
        text=plain(f"{game.title} {store_name(game.store)}"),
        installed=game.installed,
        hidden=library.is_hidden(game.id),
    )


def art_of(game: GameEntry, library: Library) -> Mapping[str, str]:
    """Addresses of the pictures that this host has, by kind, from the console's root.

    Those that are elsewhere are left out: a page loads nothing from there.
    """
    shown = game_info(game, hidden=library.is_hidden(game.id)).art
    files = attrs.asdict(game.art)
    return {
        kind: f"{place.removeprefix('/')}?v={crc32(files[kind].encode(errors='replace')):08x}"
        for kind, place in attrs.asdict(shown).items()
        if place and place != files[kind]
    }


def store_name(store: str) -> str:
    return _("My own") if store == CUSTOM_STORE else store.replace("_", " ").capitalize()


def plain(text: str) -> str:
    """For searching: without accents and capitals, as `plain` in library.js does it."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    return "".join(it for it in folded if not unicodedata.combining(it))


class _Drawn:
    """The shelves that were drawn last: every page that is open asks for one at the same time."""

    games: tuple[GameEntry, ...] | None = None
    texts: ClassVar[dict[tuple[object, ...], Markup]] = {}


async def _shelf() -> Markup:
    library = host().library
    if _Drawn.games is not library.games() or len(_Drawn.texts) >= _MAX_DRAWN:
        _Drawn.games, _Drawn.texts = library.games(), {}
    texts = _Drawn.texts
    may_change = g.login.scope.includes(Scope.ADMIN)
    key = (language(), root(), _query(), may_change, *_waiting(library))
    if key not in texts:
        text = await render_template("library_shelf.html", **_of_shelf(library))
        texts[key] = Markup(text)  # noqa: S704 - a template has made it
    return texts[key]


def _waiting(library: Library) -> Sequence[StoreStatus]:
    return [it for it in library.stores() if it.state is StoreState.WAITING]


def _of_shelf(library: Library) -> dict[str, Any]:
    wanted = Wanted.of(request.args)
    covers = [cover_of(game, library) for game in library.games()]
    counts: dict[str, int] = {}
    for cover in covers:
        counts[cover.store] = counts.get(cover.store, 0) + (not cover.hidden)
    stores = [StoreChoice(name, store_name(name), count) for name, count in counts.items()]
    shown = frozenset(cover.id for cover in covers if wanted.has(cover))
    return {
        "covers": covers,
        "shown": shown,
        "wanted": wanted,
        "query": _query(),
        "stores": sorted(stores, key=lambda it: (it.name == CUSTOM_STORE, it.title)),
        "not_installed": sum(not cover.installed for cover in covers),
        "hidden_count": sum(cover.hidden for cover in covers),
        "waiting": _waiting(library),
    }


def _query() -> str:
    known = ("q", "store", "installed", "hidden")
    return urlencode([(it, request.args[it][:_MAX_QUERY]) for it in known if it in request.args])


def _stores() -> dict[str, Sequence[tuple[str, StoreStatus]]]:
    found = host().library.stores()
    return {
        "troubled": [
            (store_name(it.name), it)
            for it in found
            if it.state is StoreState.FAILED or it.problems
        ]
    }
