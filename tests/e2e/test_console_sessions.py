"""Sessions and Plugins: a real stream with its figures, ended from the page, and who made it."""

import pytest
from harness import MoonlightClient
from host_process import HostProcess
from playwright.sync_api import Browser, Page, expect
from proof import Player, play
from visitor import LIMIT_MS, LOOKS, Visitor

pytestmark = [pytest.mark.e2e, pytest.mark.unhurried, pytest.mark.timeout(240)]

SMALL = {"width": 640, "height": 360, "fps": 30, "bitrate_kbps": 2_000}
STAGES = ("Capture", "Colours", "Encoding", "Packets", "Sending")


@pytest.fixture(autouse=True)
def patience() -> None:
    expect.set_options(timeout=LIMIT_MS)


def confirm(page: Page) -> str:
    asked = page.locator("#confirm-text").inner_text()
    page.locator("#confirm-yes").click()
    return asked


def test_a_stream_is_shown_with_where_its_time_goes_and_ends_from_here(
    visitor: Visitor, client: MoonlightClient
) -> None:
    page = visitor.go("sessions")
    expect(page.locator("#sessions")).to_contain_text("Nothing is running")

    play(client, **SMALL)
    expect(page.locator("article h2")).to_have_text("Test pattern")
    seat = page.locator(".seat")
    expect(seat).to_contain_text("640 × 360, 30 Hz")
    expect(seat).to_contain_text("Picture, sound and input")
    table = seat.locator(".budget-table")
    for stage in STAGES:
        expect(table).to_contain_text(stage)
    encoding = table.locator("tr", has_text="Encoding").locator("td").first
    expect(encoding).not_to_have_text("0.0 ms")
    assert float(encoding.inner_text().removesuffix(" ms")) > 0
    expect(seat.locator(".budget-most")).to_contain_text("of 33.3 ms")

    frames = client.wait_frames(10)
    page.get_by_role("button", name="Force keyframe").click()
    expect(page.locator(".toast").last).to_have_text("A whole picture was asked for")
    client.wait_frames(frames + 30, timeout_s=30)

    page.get_by_role("button", name="Stop the stream").click()
    client.wait_event("terminated", timeout_s=20)
    expect(seat).to_contain_text("Away; it may come back")

    page.get_by_role("button", name="Stop the session").click()
    asked = confirm(page)
    assert "Test pattern" in asked
    assert "what is not saved in it is lost" in asked
    expect(page.locator("#sessions")).to_contain_text("Nothing is running")
    assert visitor.host.status()["sessions"] == []
    assert visitor.trouble == []


def test_stopping_the_session_ends_the_stream_at_its_client(
    visitor: Visitor, client: MoonlightClient
) -> None:
    play(client, **SMALL)
    page = visitor.go("sessions")

    page.get_by_role("button", name="Stop the session").click()
    assert "loses the picture" in confirm(page)

    client.wait_event("terminated", timeout_s=20)
    expect(page.locator("#sessions")).to_contain_text("Nothing is running")
    assert visitor.trouble == []


def test_what_is_looked_at_keeps_its_place_when_figures_move(
    visitor: Visitor, client: MoonlightClient
) -> None:
    play(client, **SMALL)
    page = visitor.go("sessions")
    button = page.get_by_role("button", name="Stop the session")
    button.focus()

    for _ in range(2):
        with page.expect_response(lambda it: it.url.endswith("/parts/sessions")):
            pass

    expect(button).to_be_focused()
    assert visitor.trouble == []


def test_it_looks_good_everywhere_while_somebody_streams(
    browser: Browser, host: HostProcess, player: Player
) -> None:
    play(player(host), **SMALL)
    for name, look in LOOKS.items():
        with Visitor(browser, host, **look) as visitor:
            page = visitor.log_in().go("sessions")
            expect(page.locator(".budget-bar")).to_be_visible()
            assert visitor.wider() <= 0, name
            assert visitor.findings() == [], name
            visitor.picture(f"sessions-{name}")
            page = visitor.go("")
            expect(page.locator(".figures")).to_be_visible()
            assert visitor.wider() <= 0, name
            visitor.picture(f"home-streaming-{name}")
            assert visitor.trouble == []


def test_plugins_say_what_they_can_and_are_asked_again(browser: Browser, host: HostProcess) -> None:
    for name, look in LOOKS.items():
        with Visitor(browser, host, **look) as visitor:
            page = visitor.log_in().go("plugins")
            expect(page.locator("#way-own")).to_be_visible()
            expect(page.locator("#plugins")).to_contain_text("Built-in drivers")
            assert visitor.wider() <= 0, name
            assert visitor.findings() == [], name
            visitor.picture(f"plugins-{name}")
            if name == "desktop-light":
                why = page.locator("#way-attach details")
                why.locator("summary").click()
                expect(why).to_have_js_property("open", True)
                mark = "document.body.dataset.swapped = ''"
                page.evaluate(f"document.addEventListener('htmx:after:swap', () => {{ {mark} }})")
                page.locator("#probe").click()
                expect(page.locator(".toast").last).to_have_text("Every plugin was asked again")
                page.locator("body[data-swapped]").wait_for()
                expect(why).to_have_js_property("open", True)
            assert visitor.trouble == []
