"""Home: the way to the first picture, what goes on, and whether everything is there."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from harness import MoonlightClient
from host_process import PIN, HostProcess
from playwright.sync_api import Browser, expect
from proof import Hosts, Player, play
from visitor import LIMIT_MS, LOOKS, Visitor

pytestmark = [pytest.mark.e2e, pytest.mark.unhurried, pytest.mark.timeout(240)]

HOSTILE = '<img src=x onerror="alert(1)">\u202egnp.exe ' + "x" * 2_000


@pytest.fixture(autouse=True)
def patience() -> None:
    expect.set_options(timeout=LIMIT_MS)


def test_from_the_first_visit_to_a_paired_device(
    own_host: Hosts, browser: Browser, player: Player
) -> None:
    host = own_host()
    with Visitor(browser, host) as visitor:
        page = visitor.log_in().go("")
        expect(page.locator("h1")).to_have_text("Three steps to the first picture")
        expect(page.locator(".steps")).to_contain_text(f"127.0.0.1:{host.base_port}")
        visitor.picture("home-first")

        client = player(host, pair=False)
        waiting = client.begin_pair(PIN)
        expect(page.locator("h1")).to_have_text("A device wants to be paired")
        visitor.picture("home-waiting")
        page.locator("#waiting").get_by_label("PIN that it shows").fill(PIN)
        page.keyboard.press("Enter")
        waiting.result(30)

        expect(page.locator("h1")).to_have_text("Ready")
        expect(page.locator("#happenings")).to_contain_text("was paired")
        assert visitor.trouble == []


def test_who_streams_is_said_at_once_and_stopped_from_here(
    visitor: Visitor, client: MoonlightClient
) -> None:
    page = visitor.go("")
    expect(page.locator("h1")).to_have_text("Ready")
    assert page.locator("#now-tick").count() == 0

    play(client, width=640, height=360, fps=30, bitrate_kbps=2_000)
    expect(page.locator("h1")).to_contain_text("is streaming")
    article = page.locator("article.session")
    expect(article).to_contain_text("Test pattern")
    expect(article.locator(".figures")).to_contain_text("new pictures a second")
    expect(page.locator("#happenings")).to_contain_text("sees the picture")

    article.get_by_role("button", name="Stop").click()
    expect(page.locator("#confirm")).to_contain_text("what is not saved in it is lost")
    page.locator("#confirm-yes").click()

    client.wait_event("terminated", timeout_s=20)
    expect(page.locator("h1")).to_have_text("Ready")
    expect(page.locator("#happenings")).to_contain_text("stopped from here")
    expect(page.locator("#now-tick")).to_have_count(0)
    assert visitor.trouble == []


def test_the_machine_is_examined_after_the_page_is_there_and_again_on_demand(
    visitor: Visitor,
) -> None:
    page = visitor.go("")
    checks = page.locator("#checks")
    expect(checks).to_contain_text("Mouse and keyboard")
    before = checks.locator("#look-again")
    expect(before).to_be_enabled()

    with page.expect_response(lambda it: it.url.endswith("/api/v1/doctor")) as looked:
        before.click()
    assert looked.value.ok
    expect(checks).to_contain_text("Checked just now.")
    assert visitor.trouble == []


def test_a_machine_that_cannot_be_examined_is_not_looked_at_for_ever(visitor: Visitor) -> None:
    page = visitor.page
    page.route("**/parts/home-checks", lambda it: it.fulfill(status=409), times=1)
    visitor.go("")
    checks = page.locator("#checks")
    expect(checks.get_by_role("alert")).to_contain_text("could not be looked at")
    expect(checks).not_to_contain_text("It takes a few seconds.", use_inner_text=True)

    checks.get_by_role("button", name="Look again").click()

    expect(checks).to_contain_text("Mouse and keyboard")
    assert [it for it in visitor.trouble if "409" not in it] == []


def test_a_refused_pin_is_still_said_when_figures_have_moved(
    visitor: Visitor, client: MoonlightClient, identities: dict[str, Path]
) -> None:
    page = visitor.go("")
    play(client, width=640, height=360, fps=30, bitrate_kbps=2_000)
    page.locator("#now-tick").wait_for(state="attached")
    refusal = json.dumps({"error": "that device does not wait any more"})
    page.route(
        "**/api/v1/pair/pin",
        lambda it: it.fulfill(status=409, content_type="application/json", body=refusal),
    )
    with asking(visitor.host, identities["mallory"], "Television"):
        page.get_by_label("PIN that it shows").fill("1234")
        page.keyboard.press("Enter")
        problem = page.locator(".pin-form").get_by_role("alert")
        expect(problem).to_have_text("that device does not wait any more")
        for _ in range(2):
            page.wait_for_event(
                "requestfinished", lambda it: it.url.endswith("/parts/home-now"), timeout=LIMIT_MS
            )
        expect(problem).to_be_visible()
        expect(page.get_by_label("PIN that it shows")).to_have_value("1234")
    assert [it for it in visitor.trouble if "409" not in it] == []


@contextmanager
def asking(host: HostProcess, identity: Path, name: str) -> Iterator[None]:
    """A device of any name that waits for its PIN, as long as the block lasts."""
    query = {
        "uniqueid": "0123456789ABCDEF",
        "devicename": name,
        "phrase": "getservercert",
        "salt": bytes(16).hex(),
        "clientcert": (identity / "cert.pem").read_bytes().hex(),
    }
    request = f"GET /pair?{urlencode(query)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with socket.create_connection(("127.0.0.1", host.base_port), timeout=30) as connection:
        connection.sendall(request.encode())
        yield


def test_it_looks_good_everywhere_whatever_devices_are_called(
    browser: Browser, host: HostProcess, client: MoonlightClient, identities: dict[str, Path]
) -> None:
    for name, look in LOOKS.items():
        with (
            Visitor(browser, host, **look) as visitor,
            asking(host, identities["mallory"], HOSTILE),
        ):
            page = visitor.log_in().go("")
            expect(page.locator("#look-again")).to_be_visible()
            expect(page.locator("#waiting")).to_contain_text("<img src=x")
            expect(page.locator("#happenings")).to_contain_text("<img src=x")
            assert visitor.wider() <= 0, name
            assert visitor.findings() == [], name
            visitor.picture(f"home-{name}")
            assert visitor.trouble == []
