"""The interactive reference in a real browser, from a real host."""

import http.client
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from host_process import HostProcess
from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.e2e, pytest.mark.unhurried, pytest.mark.timeout(180)]

HOSTILE = "<img src=x onerror=alert(1)></pre><script>alert(2)</script>"
LIMIT_MS = 40_000
SCHEME = "matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'"


class Watched:
    """A page, and everything about it that nobody wants to see.

    Attributes:
        asked: Every address that it asked for.
        trouble: Messages of the console, errors, dialogs.
    """

    def __init__(self, page: Page, host: HostProcess) -> None:
        self.page, self.host = page, host
        self.asked: list[str] = []
        self.trouble: list[str] = []
        page.set_default_timeout(LIMIT_MS)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.trouble.append(message.text))
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        page.on("dialog", lambda dialog: self.trouble.append(dialog.message) or dialog.dismiss())
        page.goto(f"http://127.0.0.1:{host.mgmt_port}/api/docs")

    def enter(self) -> None:
        self.page.get_by_label("Token").fill(self.host.token())
        self.page.get_by_role("button", name="Open").click()
        self.page.locator("#getStatus").wait_for()

    def send(self, operation: str) -> str:
        """Open an operation, send it as it stands, and read what the page shows of the answer."""
        card = self.page.locator(f"#{operation}")
        card.locator("summary").click()
        card.get_by_role("button", name="Send").click()
        card.locator("pre:not([hidden])").wait_for()
        return card.locator("pre").inner_text()


@pytest.fixture
def seen(browser: Browser, host: HostProcess, request: pytest.FixtureRequest) -> Iterator[Watched]:
    context = browser.new_context(**getattr(request, "param", {}))
    yield Watched(context.new_page(), host)
    context.close()


def ask(host: HostProcess, method: str, path: str, body: object) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", host.mgmt_port, timeout=30)
    headers = {"Authorization": f"Bearer {host.token()}", "Content-Type": "application/json"}
    connection.request(method, path, json.dumps(body), headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_an_operation_is_read_and_sent_and_nothing_else_is_asked(seen: Watched) -> None:
    seen.enter()

    status = json.loads(seen.send("getStatus"))

    assert status["paired_clients"] == 0
    ours = f"http://127.0.0.1:{seen.host.mgmt_port}/api/"
    assert [url for url in seen.asked if not url.startswith(ours)] == []
    assert seen.trouble == []


def test_every_operation_can_be_opened(seen: Watched) -> None:
    seen.enter()
    cards = seen.page.locator("details")

    assert cards.count() >= 29
    for summary in seen.page.locator("summary").all():
        summary.click()
    assert seen.page.locator("details[open] button[class]").count() == cards.count()
    assert seen.trouble == []


def test_threat_23_the_token_stays_in_memory(seen: Watched) -> None:
    seen.enter()
    seen.send("getHostInfo")
    token = seen.host.token()

    kept = seen.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")

    assert (kept, seen.page.context.cookies()) == ("[{},{}]", [])
    assert not [url for url in [*seen.asked, seen.page.url] if token in url]
    assert token not in seen.page.content()
    seen.page.get_by_role("button", name="Forget").click()
    assert seen.page.get_by_label("Token").input_value() == ""
    seen.page.reload()
    assert seen.page.get_by_label("Token").input_value() == ""


def test_what_is_no_token_is_answered_in_words(seen: Watched) -> None:
    seen.page.get_by_label("Token").fill("not a token")
    seen.page.get_by_role("button", name="Open").click()

    alert = seen.page.get_by_role("alert")
    alert.get_by_text("a bearer token is needed").wait_for()
    assert seen.page.locator("#operations").inner_text() == ""


def test_threat_18_markup_in_names_is_inert(seen: Watched) -> None:
    assert ask(seen.host, "POST", "/api/v1/library/custom", {"title": HOSTILE}) == 201
    seen.enter()

    shown = seen.send("getLibrary")

    assert HOSTILE in [game["title"] for game in json.loads(shown)]
    assert seen.page.locator("pre img, pre script").count() == 0
    assert seen.trouble == []


def test_events_are_shown_as_they_come_until_they_are_stopped(seen: Watched) -> None:
    seen.enter()
    seen.send("streamEvents")
    card = seen.page.locator("#streamEvents")

    assert ask(seen.host, "POST", "/api/v1/library/custom", {"title": "A new game"}) == 201

    card.locator("pre", has_text="library.changed").wait_for()
    card.get_by_role("button", name="Stop").click()
    card.get_by_text("Stopped.").wait_for()


@pytest.mark.parametrize(
    "seen",
    [
        {"color_scheme": scheme, "viewport": {"width": width, "height": 860}}
        for scheme in ("light", "dark")
        for width in (390, 1_100)
    ],
    indirect=True,
    ids=lambda options: f"{options['color_scheme']}-{options['viewport']['width']}",
)
def test_it_fits_the_screen_and_can_be_used_with_the_keyboard(seen: Watched) -> None:
    page = seen.page
    page.keyboard.press("Tab")
    page.keyboard.type(seen.host.token())
    page.keyboard.press("Enter")
    page.locator("#getStatus").wait_for()
    page.locator("#createCustomGame summary").focus()
    page.keyboard.press("Enter")
    page.locator("#createCustomGame textarea").wait_for()

    unnamed: Any = page.evaluate(
        "[...document.querySelectorAll('input,select,textarea')].filter(it => !it.labels.length)"
        ".map(it => it.outerHTML)"
    )
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")

    if folder := os.environ.get("PUNKTFUNK_SCREENSHOTS"):
        name = f"{page.viewport_size['width']}-{page.evaluate(SCHEME)}.png"
        page.screenshot(path=Path(folder) / f"api-reference-{name}")
    assert (unnamed, wider) == ([], 0)
    assert seen.trouble == []
