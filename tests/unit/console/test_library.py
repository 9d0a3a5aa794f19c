"""What the pages of the library say, and what they never load."""

import gzip
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest
from PIL import Image

from punktfunk.library import CustomInput, Library, StoreState, StoreStatus
from punktfunk.library.stores import Store
from punktfunk.model.access import Scope
from punktfunk.model.apps import LaunchSpec
from punktfunk.model.games import Artwork, GameEntry, LaunchTarget


def game(game_id: str = "alpha:1", title: str = "Game", **art: str) -> GameEntry:
    return GameEntry(
        id=game_id,
        title=title,
        art=Artwork(**art),
        target=LaunchTarget(kind="alpha_id", value=game_id),
        launch=LaunchSpec(argv=("game", "--run", game_id)),
    )


def put(library: Library, *games: GameEntry, **status: Any) -> None:
    told = StoreStatus(name="alpha", **{"state": StoreState.READY, "count": len(games), **status})
    library._stores = {"alpha": Store(status=told, games=games)}
    library._merge()


@pytest.fixture
def library(pages: Any) -> Library:
    found: Library = pages.host.library
    return found


def shown(text: str) -> list[str]:
    """Ids of the covers that the page shows."""
    items = [it.partition(">")[0] for it in text.split('<li id="game-')[1:]]
    return [it.partition('"')[0] for it in items if not it.endswith(" hidden")]


async def test_an_empty_library_says_what_to_do(pages: Any) -> None:
    text = await pages.read("/library")

    assert "No games yet" in text
    assert 'href="./library/new"' in text


async def test_what_is_looked_for_is_in_the_address(pages: Any, library: Library) -> None:
    games = [game("alpha:1", "Ärger im Weltall"), game("alpha:2", "Space"), game("alpha:3", "Tau")]
    put(library, *games[:2], attrs.evolve(games[2], installed=False))
    mine = library.create(CustomInput(title="Space of my own"))
    own = f"custom:{mine.id}"
    library.hide("alpha:2")

    assert set(shown(await pages.read("/library"))) == {"alpha:1", "alpha:3", own}
    assert shown(await pages.read("/library?q=arger+WELT")) == ["alpha:1"]
    assert shown(await pages.read("/library?q=space&hidden=1")) == ["alpha:2", own]
    assert shown(await pages.read("/library?store=custom")) == [own]
    assert "alpha:3" not in shown(await pages.read("/library?installed=1"))
    nothing = await pages.read("/library?q=no+such+thing")
    assert shown(nothing) == []
    assert 'id="shelf-nothing"><p' in nothing
    part = await pages.read("/parts/library?q=space&hidden=1")
    assert shown(part) == ["alpha:2", own]
    assert 'hx-get="../parts/library?q=space&amp;hidden=1"' in part


async def test_no_picture_is_loaded_from_elsewhere(
    pages: Any, library: Library, tmp_path: Path
) -> None:
    file = tmp_path / "cover.png"
    Image.new("RGB", (60, 90)).save(file)
    put(
        library,
        game("alpha:1", "Here", portrait=str(file)),
        game("alpha:2", "Elsewhere", portrait="https://a.example/p.jpg"),
        game("alpha:3", "Banner", header=str(file), portrait="https://a.example/p.jpg"),
    )

    for page in ("/library", "/library/alpha:1", "/library/alpha:2", "/library/alpha:3"):
        text = await pages.read(page)
        assert "a.example" not in text, page
    text = await pages.read("/library")
    assert 'src="./api/v1/library/art/alpha:1/portrait?v=' in text
    assert 'src="./api/v1/library/art/alpha:3/header?v=' in text
    assert "art/alpha:2" not in text


async def test_stores_with_problems_say_what_and_how_to_repair(
    pages: Any, library: Library
) -> None:
    put(
        library,
        game(),
        state=StoreState.FAILED,
        reason="library_games failed: <b>OSError</b>",
        problems=("games.db is damaged",),
    )

    text = await pages.read("/parts/library-stores")

    assert "Alpha could not be read." in text
    assert "The title that it listed last stays." in text
    assert "&lt;b&gt;OSError" in text
    assert "games.db is damaged" in text
    assert "then refresh" in text


async def test_a_store_that_is_still_read_is_looked_for_again(pages: Any, library: Library) -> None:
    put(library, state=StoreState.WAITING)

    text = await pages.read("/library")

    assert "Looking for games" in text
    assert "data-waiting" in text


async def test_a_game_says_how_it_starts(pages: Any, library: Library) -> None:
    put(library, game("alpha:a%b?c#d", "Of a store"))
    command = library.create(
        CustomInput(title="Own", launch=LaunchTarget(kind="command", value="a <b> && c"))
    )
    steam = library.create(
        CustomInput(title="Steam", launch=LaunchTarget(kind="steam_appid", value="570"))
    )
    none = library.create(CustomInput(title="None"))

    text = await pages.read("/library/alpha:a%25b%3Fc%23d")
    assert "Alpha knows how it starts." in text
    assert "game --run &#39;alpha:a%b?c#d&#39;" in text
    assert 'hx-get="../parts/library-title/alpha:a%25b%3Fc%23d"' in text
    assert "a &lt;b&gt; &amp;&amp; c" in await pages.read(f"/library/custom:{command.id}")
    assert "Steam starts its app 570." in await pages.read(f"/library/custom:{steam.id}")
    assert "No: nothing says how it starts" in await pages.read(f"/library/custom:{none.id}")


async def test_a_game_that_went_is_missed_in_words(pages: Any) -> None:
    assert (await pages.ask("/library/alpha:1")).status_code == 404
    assert "not in the library any more" in await pages.read("/parts/library-title/alpha:1")


async def test_a_game_shows_what_its_sessions_get_of_their_own(
    pages: Any, library: Library
) -> None:
    put(library, game())
    pages.host.operations.config.override("alpha:1", "", {"max_fps": 48})

    for path in ("/library/alpha:1", "/parts/library-settings/alpha:1"):
        text = await pages.read(path)
        assert 'name="settings.max_fps" value="48"' in text
        assert 'name="app" value="alpha:1"' in text


async def test_the_form_has_what_the_entry_has(pages: Any, library: Library) -> None:
    put(library, game())
    mine = library._custom.create(  # when the store was still there
        CustomInput(
            title='Mine "1"',
            art=Artwork(hero="https://a.example/h"),
            launch=LaunchTarget(kind="gone_store", value="7"),
        )
    )
    library._merge()

    text = await pages.read(f"/library/custom:{mine.id}/edit")

    assert 'value="Mine &#34;1&#34;"' in text
    assert 'value="https://a.example/h"' in text
    assert 'name="kind" value="gone_store" checked' in text
    assert '<option value="7" selected>7</option>' in text
    assert '<option value="alpha:1">Game</option>' in text
    assert (await pages.ask("/library/alpha:1/edit")).status_code == 404
    new = await pages.read("/library/new")
    assert 'name="kind" value="command" checked' in new


async def test_who_may_only_look_has_no_buttons_that_would_be_refused(
    pages: Any, library: Library
) -> None:
    put(library, game())
    mine = library.create(CustomInput(title="Mine"))

    shelf = await pages.read("/library", scope=Scope.READ)
    assert "library/new" not in shelf
    assert "data-api" not in shelf
    assert "data-api" in await pages.read("/library", scope=Scope.CONTROL)
    text = await pages.read(f"/library/custom:{mine.id}", scope=Scope.READ)
    assert "DELETE api" not in text
    assert "/edit" not in text


async def test_hostile_titles_are_text(
    pages: Any, library: Library, hostile: tuple[str, ...]
) -> None:
    put(library, *(game(f"alpha:{n}", it[:500]) for n, it in enumerate(hostile)))

    text = await pages.read("/library")
    assert "<img src=x" not in text
    assert "<bdi>\u202egnp.exe</bdi>" in text
    for number in range(len(hostile)):
        assert "<img src=x" not in await pages.read(f"/library/alpha:{number}")


async def test_a_thousand_games_are_one_light_page(pages: Any, library: Library) -> None:
    put(library, *(game(f"alpha:{n}", f"Game number {n}") for n in range(1_000)))

    text = await pages.read("/library")

    assert len(shown(text)) == 1_000
    assert len(text) < 700_000


async def test_a_long_shelf_is_drawn_once_for_all_who_look_and_anew_when_it_changes(
    pages: Any, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    module = sys.modules["punktfunk.console.pages.library"]
    plain = module.cover_of
    monkeypatch.setattr(
        module, "cover_of", lambda it, within: drawn.append(it.id) or plain(it, within)
    )
    put(library, game("alpha:1"), game("alpha:2"))

    for _ in range(3):
        assert shown(await pages.read("/parts/library")) == ["alpha:1", "alpha:2"]
    assert len(drawn) == 2
    assert "Titel" in await pages.read("/parts/library", language="de")
    assert shown(await pages.read("/parts/library?q=nothing")) == []

    library.hide("alpha:1")
    assert shown(await pages.read("/parts/library")) == ["alpha:2"]


async def test_a_thousand_titles_are_packed_for_who_can_unpack_them(
    pages: Any, library: Library
) -> None:
    put(library, *(game(f"alpha:{number}", f"Game {number}") for number in range(1_000)))

    for path in ("/library", "/parts/library"):
        answer = await pages.ask(path, **{"Accept-Encoding": "gzip"})
        data = await answer.get_data(as_text=False)
        assert answer.headers["Content-Encoding"] == "gzip"
        assert len(data) < 50_000
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert len(shown(gzip.decompress(data).decode())) == 1_000
        assert len(shown(await pages.read(path))) == 1_000
