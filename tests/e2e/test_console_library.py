"""The library's pages in a real browser, beside the app list of the real client."""

import json
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from harness import MoonlightClient
from host_process import HostProcess, eventually
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from proof import Figures, end_cleanly
from visitor import LOOKS, Visitor

from punktfunk.testing import write_distribution

pytestmark = [pytest.mark.e2e, pytest.mark.unhurried, pytest.mark.timeout(240)]

COUNT = 1_000

HOSTILE = ("<img src=x onerror=alert(1)>", "\u202egnp.exe", "x" * 500)
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
STORE = """
import json, os
from pathlib import Path
from punktfunk.plugin import Artwork, GameEntry, LaunchSpec, LaunchTarget, Manifest, hookimpl

manifest = Manifest(api=1, title="A store for tests")
CATALOG = Path(os.environ["TEST_STORE"])

def entry(number, title, picture):
    return GameEntry(
        id=f"shop:{number}",
        title=title,
        art=Artwork(portrait=picture),
        target=LaunchTarget(kind="shop", value=str(number)),
        launch=LaunchSpec(argv=("true", str(number))),
    )

@hookimpl
def library_games(host):
    return [entry(*it) for it in json.loads(CATALOG.read_text())]

@hookimpl
def library_paths(host):
    return [CATALOG, CATALOG.parent]
"""


class Shop:
    """A store whose games are in a file, as those of launchers are."""

    def __init__(self, folder: Path) -> None:
        self.site = folder / "site"
        self.catalog = folder / "shop" / "games.json"
        self.cover = folder / "cover.png"
        self.site.mkdir()
        self.catalog.parent.mkdir()
        self.cover.write_bytes(drawn("PNG"))
        (self.site / "store_shop.py").write_text(STORE)
        write_distribution(self.site, "store-shop", {"punktfunk.plugins": {"shop": "store_shop"}})
        self.write(3)

    def write(self, count: int, *more: str) -> None:
        titles = [*(f"Game {number:04}" for number in range(count)), *more]
        games = [
            (number, title, str(self.cover) if number % 2 else None)
            for number, title in enumerate(titles)
        ]
        fresh = self.catalog.with_suffix(".new")
        fresh.write_text(json.dumps(games))
        fresh.replace(self.catalog)


def drawn(kind: str, colour: tuple[int, int, int] = (200, 30, 30)) -> bytes:
    file = BytesIO()
    Image.new("RGB", (300, 450), colour).save(file, kind)
    return file.getvalue()


def bomb() -> bytes:
    """A PNG whose header promises 60,000 x 60,000 pixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + chunk + bytes(100)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def shared_host(shop: Shop) -> Iterator[HostProcess]:
    environment = {"PYTHONPATH": str(shop.site), "TEST_STORE": str(shop.catalog)}
    with HostProcess(environment=environment) as host:
        yield host
        end_cleanly(host)


def listed(client: MoonlightClient) -> list[str]:
    return [app["name"] for app in client.applist() if not app["name"].startswith("Game ")][2:]


def choose(page: Page, data: bytes, name: str, media_type: str, kind: str = "Cover") -> None:
    file: Any = {"name": name, "mimeType": media_type, "buffer": data}
    page.get_by_label(f"Choose a picture: {kind}").set_input_files(file)


def test_a_title_of_ones_own_comes_changes_hides_and_goes(
    visitor: Visitor, client: MoonlightClient
) -> None:
    page = visitor.go("library/new")
    page.get_by_label("Title", exact=True).fill("Couch karaoke")
    page.locator("textarea[name=value]").fill("exec sleep 60")
    choose(page, drawn("PNG"), "cover.png", "image/png")
    expect(page.get_by_label("The picture that was chosen").first).to_be_visible()
    visitor.picture("library-form")

    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Couch karaoke")
    picture = page.locator("img.cover-art")
    eventually(lambda: picture.evaluate("it => it.naturalWidth"), 20, "the picture is shown")
    assert picture.evaluate("it => [it.naturalWidth, it.naturalHeight]") == [300, 450]
    place = page.url.removeprefix(visitor.base)
    assert listed(client) == ["Couch karaoke"]
    number = client.applist()[-1]["id"]
    art = client.get("appasset", "https", f"appid={number}&AssetType=2&AssetIdx=0")
    assert art["magic"].startswith("89504e47")

    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Title", exact=True).fill("Couch karaoke 2")
    page.get_by_text("Remove it").first.click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Couch karaoke 2")
    expect(page.locator("img.cover-art")).to_have_count(0)
    assert listed(client) == ["Couch karaoke 2"]

    page.get_by_role("button", name="Hide").click()
    page.get_by_text("No: it is hidden").wait_for()
    assert listed(client) == []
    page.get_by_role("button", name="Show again").click()
    page.get_by_role("button", name="Hide").wait_for()
    assert listed(client) == ["Couch karaoke 2"]

    page.get_by_label("Most pictures a second").fill("48")
    page.locator("#own-settings").get_by_role("button", name="Save").click()
    expect(page.get_by_label("Most pictures a second")).to_have_value("48")
    name = place.removeprefix("library/")
    eventually(lambda: fps_of(visitor.host, name) == (48, "file"), 10, "the setting is in the file")

    page.locator("#delete").click()
    page.locator("#confirm-yes").click()
    page.wait_for_url(f"{visitor.base}library")
    assert listed(client) == []
    assert page.request.get(f"{visitor.base}{place}").status == 404
    assert visitor.trouble == []


def fps_of(host: HostProcess, app: str) -> tuple[int, str]:
    found = {it["key"]: it for it in host.api("GET", f"/config/explain?app={app}")[1]}
    return found["stream.max_fps"]["value"], found["stream.max_fps"]["source"]


def test_threat_20_bombs_and_scripts_are_refused_in_words(visitor: Visitor) -> None:
    page = visitor.go("library/new")
    problem = page.locator(".picture.portrait .problem")
    for data, name, media_type in (
        (bomb(), "bomb.png", "image/png"),
        (SVG, "cover.svg", "image/svg+xml"),
        (SVG, "cover.png", "image/png"),
    ):
        choose(page, drawn("JPEG"), "good.jpg", "image/jpeg")
        expect(problem).to_be_hidden()
        choose(page, data, name, media_type)
        expect(problem).to_contain_text("This is no picture that can be used")
    choose(page, bytes(8 * 1_024 * 1_024 + 1), "long.png", "image/png")
    expect(problem).to_contain_text("larger than 8 MiB")

    status, entry = visitor.host.api("POST", "/library/custom", {"title": "Mine"})
    assert status == 201
    send = """async ([path, bytes, type]) => {
        const { ask } = await import(document.querySelector('script[src*="console.js"]').src
            .replace("console.js", "actions.js"));
        return ask("PUT", path, new Blob([new Uint8Array(bytes)], { type }))
            .then(() => "taken", (error) => error.message);
    }"""
    path = f"api/v1/library/custom/{entry['id']}/art/portrait"
    said = [
        page.evaluate(send, [path, list(data), media_type])
        for data, media_type in (
            (bomb(), "image/png"),
            (SVG, "image/png"),
            (SVG, "image/svg+xml"),
            (drawn("WEBP"), "image/webp"),
        )
    ]
    assert "60000 x 60000 pixels" in said[0]
    assert "no PNG, JPEG or WebP" in said[1]
    assert "must be image/png" in said[2]
    assert said[3] == "taken"
    visitor.host.api("DELETE", f"/library/custom/{entry['id']}")
    assert [
        it for it in visitor.trouble if "the server responded with a status of 4" not in it
    ] == []


def test_a_thousand_games_are_searched_as_one_types_and_followed_as_they_change(
    visitor: Visitor, shop: Shop, figures: Figures
) -> None:
    page = visitor.go("library")
    covers = page.locator("#covers > li:not([hidden])")
    expect(covers).to_have_count(3)
    page.locator("#library-q").press_sequentially("game 099")
    expect(covers).to_have_count(0)

    shop.write(COUNT)

    expect(covers).to_have_count(11, timeout=40_000)
    assert page.locator("#library-q").input_value() == "game 099"
    assert page.url.endswith("?q=game+099")
    page.reload()
    page.locator("#live-mark.on").wait_for(state="attached")
    expect(covers).to_have_count(11)
    typed_ms = page.evaluate(
        """() => {
            const field = document.getElementById("library-q");
            const began = performance.now();
            for (const text of ["", "g", "ga", "gam", "0999"]) {
                field.value = text;
                field.dispatchEvent(new InputEvent("input", { bubbles: true }));
                document.body.getBoundingClientRect();
            }
            return (performance.now() - began) / 5;
        }"""
    )
    expect(covers).to_have_count(1)
    html = len(page.request.get(page.url).body())
    page.get_by_role("link", name="Game 0999").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Game 0999")
    page.go_back()
    expect(covers).to_have_count(1)
    figures(typed_ms=typed_ms, html_bytes=html)
    shop.write(3)
    expect(covers).to_have_count(0, timeout=40_000)
    page.get_by_role("link", name="Show everything").click()
    expect(covers).to_have_count(3)
    assert page.url.endswith("/library")
    assert visitor.trouble == []


def test_what_somebody_is_typing_is_not_lost_when_the_library_changes(
    visitor: Visitor, shop: Shop
) -> None:
    page = visitor.go("library/shop:1")
    field = page.get_by_label("Most pictures a second")
    field.fill("4")
    shop.write(1, "Renamed")
    expect(page.get_by_role("heading", level=1)).to_have_text("Renamed", timeout=40_000)
    assert field.input_value() == "4"
    assert field.evaluate("it => it === document.activeElement")
    shop.write(1)
    page.get_by_text("This title is not in the library any more").wait_for()
    shop.write(3)
    assert visitor.trouble == []


def test_what_somebody_is_typing_stays_when_too_many_follow_events(visitor: Visitor) -> None:
    page = visitor.page
    page.route("**/api/v1/events", lambda it: it.fulfill(status=503), times=2)
    page.goto(f"{visitor.base}library/new")
    page.locator("[name=title]").fill("half a title")

    page.locator("#live-mark.on").wait_for(state="attached")

    expect(page.locator("[name=title]")).to_have_value("half a title")
    assert visitor.asked.count(page.url) == 1
    assert [it for it in visitor.trouble if "503" not in it] == []


def test_colours_are_changed_without_losing_what_is_looked_for(visitor: Visitor) -> None:
    page = visitor.go("library")
    page.locator("#library-q").fill("bö#1")
    page.wait_for_url("**/library?q=b**")
    looked_for = page.url

    with page.expect_navigation():
        page.get_by_label("Colours").select_option("dark")

    assert page.url == looked_for
    expect(page.locator("#library-q")).to_have_value("bö#1")
    assert visitor.trouble == []


@pytest.mark.parametrize("look", LOOKS)
def test_pages_are_good_in_every_look_with_hostile_titles(
    browser: Browser, host: HostProcess, shop: Shop, look: str
) -> None:
    shop.write(8, *HOSTILE)
    eventually(lambda: len(host.api("GET", "/library")[1]) == 11, 40, "the games are listed")
    with Visitor(browser, host, **LOOKS[look]) as visitor:
        visitor.log_in()
        for path, name in (
            ("library", "library"),
            ("library/shop:1", "library-title"),
            ("library/shop:8", "library-hostile"),
            ("library/new", "library-new"),
        ):
            page = visitor.go(path)
            assert visitor.findings() == [], path
            assert visitor.wider() <= 0, path
            visitor.picture(f"{name}-{look}")
        page.goto(f"{visitor.base}library/shop:10")
        assert visitor.wider() <= 0
        assert [it for it in visitor.asked if not it.startswith(visitor.base)] == []
        assert visitor.trouble == []
