"""The library's routes."""

import asyncio
from io import BytesIO
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

GAMES = "/api/v1/library"
CUSTOM = "/api/v1/library/custom"
ART = "/api/v1/library/art"
TOKEN = "0123456789abcdef" * 4
COMMAND = {"kind": "command", "value": "echo 'a b'; echo $HOME"}


def game(game_id: str = "alpha:1", title: str = "Game", **art: str) -> GameEntry:
    return GameEntry(
        id=game_id,
        title=title,
        art=Artwork(**art),
        target=LaunchTarget(kind="alpha", value="1"),
        launch=LaunchSpec(argv=("game", game_id)),
    )


def put(library: Library, *games: GameEntry) -> None:
    """What a scan of a store would have brought."""
    status = StoreStatus(name="alpha", state=StoreState.READY, count=len(games))
    library._stores = {"alpha": Store(status=status, games=games)}
    library._merge()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "cover of a game.png"
    Image.new("RGB", (60, 90)).save(path, "PNG")
    return path


async def test_the_library_is_empty_at_first(api: Any) -> None:
    assert await (await api.ask("GET", GAMES)).get_json() == []
    assert await (await api.ask("GET", GAMES + "/stores")).get_json() == []


async def test_games_are_shown_as_the_seed_has_them(api: Any, picture: Path) -> None:
    put(
        api.host.library,
        game("alpha:2", "Zoo", portrait=str(picture), hero="https://a.example/h.jpg"),
        attrs.evolve(game("alpha:1%2", "Apple"), installed=False),
    )

    apple, zoo = await (await api.ask("GET", GAMES)).get_json()

    assert apple == {
        "id": "alpha:1%2",
        "store": "alpha",
        "title": "Apple",
        "art": {"portrait": None, "hero": None, "logo": None, "header": None},
        "launch": {"kind": "alpha", "value": "1"},
        "installed": False,
        "hidden": False,
    }
    assert zoo["art"] == {
        "portrait": "/api/v1/library/art/alpha:2/portrait",
        "hero": "https://a.example/h.jpg",
        "logo": None,
        "header": None,
    }


async def test_two_thousand_games_are_one_answer(api: Any) -> None:
    put(api.host.library, *(game(f"alpha:{n}", f"Game {n}") for n in range(2_000)))

    first = await (await api.ask("GET", GAMES)).get_data()
    assert await (await api.ask("GET", GAMES)).get_data() == first
    put(api.host.library, game("alpha:1"))

    assert len(await (await api.ask("GET", GAMES)).get_json()) == 1


async def test_an_entry_is_created_changed_and_deleted(api: Any) -> None:
    answer = await api.ask("POST", CUSTOM, json={"title": " Mine ", "launch": COMMAND})
    made = await answer.get_json()
    assert answer.status_code == 201
    assert made["title"] == "Mine"
    assert made["launch"] == COMMAND

    answer = await api.ask(
        "PUT", f"{CUSTOM}/{made['id']}", json={"title": "Yours", "art": {"logo": "http://a.b/c"}}
    )
    assert answer.status_code == 200
    (listed,) = await (await api.ask("GET", GAMES)).get_json()
    assert (listed["id"], listed["store"]) == (f"custom:{made['id']}", "custom")
    assert (listed["title"], listed["launch"]) == ("Yours", None)
    assert listed["art"]["logo"] == "http://a.b/c"

    assert (await api.ask("DELETE", f"{CUSTOM}/{made['id']}")).status_code == 204
    assert (await api.ask("DELETE", f"{CUSTOM}/{made['id']}")).status_code == 404
    assert await (await api.ask("GET", GAMES)).get_json() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"title": "  "}, 400),
        ({"title": "x" * 501}, 400),
        ({"title": "A", "art": {"portrait": "file:///etc/passwd"}}, 400),
        ({"title": "A", "launch": {"kind": "no_such", "value": "1"}}, 400),
        ({"title": "A", "launch": {"kind": "steam_appid", "value": "../1"}}, 400),
        ({"title": 7}, 422),
        ({}, 422),
        ({"title": "A", "art": None}, 422),
        ({"title": "A", "launch": {"kind": "command"}}, 422),
        ({"title": "A", "launch": ["sh"]}, 422),
    ],
)
async def test_what_is_no_entry_changes_nothing(api: Any, body: object, status: int) -> None:
    made = api.host.library.create(CustomInput(title="Mine"))
    before = api.state()

    assert (await api.ask("POST", CUSTOM, json=body)).status_code == status
    assert (await api.ask("PUT", f"{CUSTOM}/{made.id}", json=body)).status_code == status

    assert api.state() == before


async def test_an_entry_that_is_not_there_is_not_found(api: Any) -> None:
    for path in ("0123456789ab", "..", "%2e%2e", "custom:1", "a%00b"):
        answer = await api.ask("PUT", f"{CUSTOM}/{path}", json={"title": "A"})
        assert answer.status_code == 404, path
        assert (await api.ask("DELETE", f"{CUSTOM}/{path}")).status_code == 404, path


async def test_a_disk_that_refuses_is_a_500_that_says_so(api: Any) -> None:
    (api.host.folder / "library.json").mkdir()

    answer = await api.ask("POST", CUSTOM, json={"title": "A"})

    assert answer.status_code == 500
    assert "library.json" in (await answer.get_json())["error"]
    assert api.host.library.games() == ()


@pytest.mark.parametrize("scope", [Scope.READ, Scope.CONTROL])
async def test_threat_21_only_the_administrator_may_bring_commands(api: Any, scope: Scope) -> None:
    token, _ = api.host.tokens.create(scope, "home automation")
    made = api.host.library.create(CustomInput(title="Mine"))
    body = {"title": "A", "launch": COMMAND}

    for method, path in (("POST", CUSTOM), ("PUT", f"{CUSTOM}/{made.id}")):
        assert (await api.ask(method, path, json=body, token=token)).status_code == 403
    assert (await api.ask("DELETE", f"{CUSTOM}/{made.id}", token=token)).status_code == 403

    assert [it.launch for it in api.host.library.games()] == [None]


async def test_threat_21_a_command_reaches_the_shell_byte_by_byte_and_is_its_only_word(
    api: Any,
) -> None:
    for value in ("a; b", "$(id)", "`id`", "'", '"', "-c", "a\nb", "\u202e", "%U {app} ~"):
        body = {"title": "A", "launch": {"kind": "command", "value": value}}
        made = await (await api.ask("POST", CUSTOM, json=body)).get_json()

        found = api.host.library.find(f"custom:{made['id']}")
        assert found.launch.argv == ("sh", "-c", value)


async def test_asking_for_a_new_list_answers_with_the_stores(api: Any) -> None:
    answer = await api.ask("POST", GAMES + "/refresh")

    assert (answer.status_code, await answer.get_json()) == (200, [])


async def test_stores_are_listed_with_what_is_wrong(api: Any) -> None:
    failed = StoreStatus(
        name="alpha", state=StoreState.FAILED, reason="crashed", count=2, problems=("One.",)
    )
    api.host.library._stores = {"alpha": Store(status=failed)}

    assert await (await api.ask("GET", GAMES + "/stores")).get_json() == [
        {
            "name": "alpha",
            "state": "failed",
            "reason": "crashed",
            "count": 2,
            "problems": ["One."],
        }
    ]


async def test_a_picture_is_served_with_its_type_and_known_again(api: Any, picture: Path) -> None:
    put(api.host.library, game("alpha:a%b?c#d", portrait=str(picture)))
    (shown,) = await (await api.ask("GET", GAMES)).get_json()

    answer = await api.ask("GET", shown["art"]["portrait"])
    tag = answer.headers["ETag"]
    again = await api.ask("GET", shown["art"]["portrait"], headers=[("If-None-Match", tag)])

    assert await answer.get_data(as_text=False) == picture.read_bytes()
    assert answer.mimetype == "image/png"
    assert answer.headers["Cache-Control"].startswith("private")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert again.status_code == 304
    Image.new("RGB", (30, 45)).save(picture, "PNG")
    changed = await api.ask("GET", shown["art"]["portrait"], headers=[("If-None-Match", tag)])
    assert changed.status_code == 200


async def test_threat_19_only_files_that_the_library_lists_are_served(
    api: Any, picture: Path, tmp_path: Path
) -> None:
    put(
        api.host.library,
        game("alpha:1", portrait=str(picture), hero="https://a.example/h", logo="/etc/passwd"),
        game("alpha:..", portrait=str(picture)),
    )
    name = str(picture)
    kinds = ("hero", "logo", "header", "portrait.png", "PORTRAIT", "__class__", "..", "%00", "")
    paths = [f"{ART}/alpha:1/{kind}" for kind in kinds]
    paths += [f"{ART}/{name}/portrait", f"{ART}/{name.replace('/', '%2f')}/portrait"]
    paths += [f"{ART}/..%2f..%2f..%2fetc%2fpasswd/portrait", f"{ART}/alpha:2/portrait"]
    paths += [f"{ART}/alpha:1%00/portrait", f"{ART}/alpha:1%2f../portrait", f"{ART}//portrait"]

    for path in paths:
        assert (await api.ask("GET", path)).status_code == 404, path
    picture.rename(tmp_path / "secret.png")
    picture.symlink_to(tmp_path / "secret.png")
    assert (await api.ask("GET", f"{ART}/alpha:1/portrait")).status_code == 404
    picture.unlink()
    assert (await api.ask("GET", f"{ART}/alpha:1/portrait")).status_code == 404


async def test_threat_20_a_file_that_is_no_picture_is_not_served(api: Any, picture: Path) -> None:
    put(api.host.library, game(portrait=str(picture)))

    for data in (b"<svg onload='alert(1)'/>", b"GIF89a", b"\x89PNG\r\n\x1a\n", bytes(9 << 20)):
        picture.write_bytes(data)
        assert (await api.ask("GET", f"{ART}/alpha:1/portrait")).status_code == 404


@pytest.fixture
def mine(api: Any) -> str:
    return str(api.host.library.create(CustomInput(title="Mine")).id)


def drawn(kind: str = "PNG", size: tuple[int, int] = (60, 90)) -> bytes:
    file = BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(file, kind)
    return file.getvalue()


def typed(media_type: str) -> list[tuple[str, str]]:
    return [("Content-Type", media_type)]


async def test_an_entry_gets_a_picture_and_loses_it_again(api: Any, mine: str) -> None:
    path = f"{CUSTOM}/{mine}/art/portrait"
    seen: list[Any] = []
    api.host.library.on_changed = seen.append

    answer = await api.ask("PUT", path, body=drawn(), headers=typed("image/png"))

    assert answer.status_code == 204
    (shown,) = await (await api.ask("GET", GAMES)).get_json()
    assert shown["art"]["portrait"] == f"{ART}/custom:{mine}/portrait"
    served = await api.ask("GET", shown["art"]["portrait"])
    assert served.mimetype == "image/webp"
    assert [it.changed for it in seen] == [(f"custom:{mine}",)]
    larger_than_any_other_body = drawn("JPEG", (300, 200)) + bytes(100_000)
    again = await api.ask("PUT", path, body=larger_than_any_other_body, headers=typed("image/jpeg"))
    assert again.status_code == 204
    assert len(seen) == 2

    assert (await api.ask("DELETE", path)).status_code == 204
    assert (await api.ask("DELETE", path)).status_code == 404
    (shown,) = await (await api.ask("GET", GAMES)).get_json()
    assert shown["art"]["portrait"] is None


async def test_what_was_read_can_be_sent_back(api: Any, mine: str) -> None:
    path = f"{CUSTOM}/{mine}/art/portrait"
    await api.ask("PUT", path, body=drawn(), headers=typed("image/png"))
    (shown,) = await (await api.ask("GET", GAMES)).get_json()

    answer = await api.ask("PUT", f"{CUSTOM}/{mine}", json={**shown, "title": "Renamed"})

    assert answer.status_code == 200
    (after,) = await (await api.ask("GET", GAMES)).get_json()
    assert after == {**shown, "title": "Renamed"}
    others = {"title": "Mine", "art": {"portrait": f"{ART}/custom:000000000000/portrait"}}
    assert (await api.ask("PUT", f"{CUSTOM}/{mine}", json=others)).status_code == 400


@pytest.mark.parametrize(
    ("media_type", "body", "status"),
    [
        ("image/png", b"<svg><script>alert(1)</script></svg>", 400),
        ("image/png", b"", 400),
        ("image/svg+xml", b"<svg/>", 415),
        ("image/gif", b"GIF89a", 415),
        ("application/json", b"{}", 415),
        ("", b"\x89PNG", 415),
    ],
)
async def test_threat_20_what_is_no_picture_is_not_kept(
    api: Any, mine: str, media_type: str, body: bytes, status: int
) -> None:
    before = api.state()

    answer = await api.ask(
        "PUT", f"{CUSTOM}/{mine}/art/portrait", body=body, headers=typed(media_type)
    )

    assert answer.status_code == status
    assert len((await answer.get_json())["error"]) > 20
    assert api.state() == before


async def test_threat_19_a_picture_is_only_of_an_entry_and_a_kind(api: Any, mine: str) -> None:
    before = api.state()

    for place in (f"{mine}/art/icon", f"{mine}/art/..", "0123456789ab/art/logo", "..%2f/art/logo"):
        path = f"{CUSTOM}/{place}"
        answer = await api.ask("PUT", path, body=drawn(), headers=typed("image/png"))
        assert answer.status_code == 404, place
        assert (await api.ask("DELETE", path)).status_code == 404, place

    assert api.state() == before


async def test_a_game_is_hidden_and_shown_again(api: Any) -> None:
    put(api.host.library, game("alpha:a%b?c#d"), game("alpha:2"))
    path = f"{GAMES}/hidden/alpha:a%25b%3Fc%23d"
    seen: list[Any] = []
    api.host.library.on_changed = seen.append

    assert (await api.ask("PUT", path)).status_code == 204
    assert (await api.ask("PUT", path)).status_code == 204

    found = await (await api.ask("GET", GAMES)).get_json()
    assert {it["id"]: it["hidden"] for it in found} == {"alpha:a%b?c#d": True, "alpha:2": False}
    assert [it.changed for it in seen] == [("alpha:a%b?c#d",)]
    put(api.host.library)  # uninstalled, and back
    put(api.host.library, game("alpha:a%b?c#d"))
    (found,) = await (await api.ask("GET", GAMES)).get_json()
    assert found["hidden"]
    assert (await api.ask("DELETE", path)).status_code == 204
    assert (await api.ask("DELETE", path)).status_code == 404
    (found,) = await (await api.ask("GET", GAMES)).get_json()
    assert not found["hidden"]


async def test_only_a_game_that_is_there_can_be_hidden(api: Any) -> None:
    assert (await api.ask("PUT", f"{GAMES}/hidden/alpha:1")).status_code == 404


async def test_a_disk_that_refuses_to_hide_is_a_500_that_says_so(api: Any) -> None:
    put(api.host.library, game())
    (api.host.folder / "hidden.json").mkdir()

    answer = await api.ask("PUT", f"{GAMES}/hidden/alpha:1")

    assert answer.status_code == 500
    assert "hidden.json" in (await answer.get_json())["error"]
    assert not api.host.library.is_hidden("alpha:1")


async def test_a_slow_picture_has_time_and_a_third_one_waits_its_turn(
    api: Any, mine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(api.app.config, "BODY_TIMEOUT", 0.001)
    path = f"{CUSTOM}/{mine}/art/portrait"
    headers = {"Host": "localhost", "Authorization": f"Bearer {TOKEN}", "Content-Type": "image/png"}
    picture = drawn()

    async def begin() -> Any:
        sending = api.app.test_client().request(path, method="PUT", headers=headers)
        await sending.__aenter__()
        await sending.send(picture[:10])
        return sending

    first, second = await begin(), await begin()
    await asyncio.sleep(0.1)
    third = await api.ask("PUT", path, body=picture, headers=typed("image/png"))
    for it in (first, second):
        await it.send(picture[10:])
        await it.send_complete()
        await it.__aexit__(None, None, None)
        assert (await it.as_response()).status_code == 204

    assert (third.status_code, third.headers["Retry-After"]) == (503, "5")
    again = await api.ask("PUT", path, body=picture, headers=typed("image/png"))
    assert again.status_code == 204
