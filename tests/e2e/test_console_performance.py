"""The performance page: recorded, watched, stopped, looked at, taken along, deleted."""

import json
from typing import Any

import attrs
import pytest
from harness import MoonlightClient
from host_process import HostProcess
from playwright.sync_api import Page, expect
from proof import play
from recordings import made_samples, save_recording
from visitor import LOOKS, Visitor

from punktfunk.console.shell import PLACES
from punktfunk.model.session import StageTiming

pytestmark = [pytest.mark.e2e, pytest.mark.unhurried, pytest.mark.timeout(180)]

MAX_FIRST_LOAD_BYTES = 150_000
HOSTILE = ('<img src=x onerror="alert(1)">', "\u202egnp.exe", "x" * 10_000)
LIMIT_MS = 40_000


def part(page: Page, name: str) -> Any:
    return page.locator(f'[data-part="{name}"]')


def moment(page: Page) -> str:
    """What the slider says of the pointed second, as a screen reader reads it."""
    return part(page, "slider").get_attribute("aria-valuetext")


def painted(page: Page, chart: str) -> bytes:
    """The pixels of a chart."""
    return page.locator(f'[data-chart="{chart}"] canvas').evaluate("it => it.toDataURL()")


def wait_for_points(page: Page, more_than: int) -> int:
    """Until the view has so many samples; they come without anything being asked for."""
    slider = part(page, "slider")
    expect(slider).to_be_attached(timeout=LIMIT_MS)
    page.wait_for_function(
        "([it, least]) => Number(it.max) > least",
        arg=[slider.element_handle(), more_than],
        timeout=LIMIT_MS,
    )
    return int(slider.get_attribute("max"))


@pytest.mark.timeout(150)
def test_a_recording_from_arming_to_deleting(
    visitor: Visitor, host: HostProcess, client: MoonlightClient
) -> None:
    page = visitor.go("performance")
    page.get_by_role("button", name="Start recording").click()
    expect(page.locator("#waiting")).to_be_visible()
    visitor.picture("performance-armed")
    play(client, bitrate_kbps=10_000)

    expect(page.locator("#view")).to_be_visible(timeout=LIMIT_MS)
    expect(page.locator("#waiting")).to_be_hidden()
    before = wait_for_points(page, 1)
    wholes = len([it for it in visitor.asked if it.endswith("/capture/live")])
    shown = painted(page, "rate")
    after = wait_for_points(page, before + 2)
    assert len([it for it in visitor.asked if it.endswith("/capture/live")]) == wholes
    assert painted(page, "rate") != shown
    expect(part(page, "stages").locator("tr")).to_have_count(6)
    visitor.picture("performance-live")
    page.reload()
    expect(page.get_by_role("button", name="Stop and save")).to_be_visible()
    wait_for_points(page, after)
    host.end_sessions()
    page.get_by_role("button", name="Stop and save").click()
    expect(page.locator("#view")).to_be_hidden()
    expect(page.get_by_role("button", name="Start recording")).to_be_visible()

    row = page.locator("#recordings tbody tr").filter(has_text="1280 × 720, 60 Hz")
    expect(row).to_contain_text("H.264")
    row.get_by_role("link").first.click()
    wait_for_points(page, after)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download JSON").click()
    taken = json.loads(download.value.path().read_bytes())
    assert len(taken["samples"]) > after
    assert download.value.suggested_filename == f"{taken['meta']['id']}.json"
    page.get_by_role("button", name="Delete").click()
    page.locator("#confirm").get_by_role("button", name="Cancel").click()
    assert host.api("GET", f"/stats/recordings/{taken['meta']['id']}")[0] == 200
    page.get_by_role("button", name="Delete").click()
    page.locator("#confirm").get_by_role("button", name="Delete").click()
    page.wait_for_url("**/performance")
    assert host.api("GET", f"/stats/recordings/{taken['meta']['id']}")[0] == 404
    assert visitor.trouble == []


def test_10000_samples_are_looked_at_with_the_keyboard_and_the_mouse(
    visitor: Visitor, host: HostProcess
) -> None:
    recording = save_recording(host.config, made_samples(10_000))
    page = visitor.go(f"performance/{recording}")

    assert wait_for_points(page, 9_000) == 9_999
    expect(part(page, "thinned")).to_contain_text("10 samples")
    expect(part(page, "fps")).to_contain_text("of 60")
    expect(part(page, "typical-note")).to_contain_text("Encoding takes most of it")
    median = painted(page, "latency")
    page.get_by_text("99 of 100").first.click()
    assert painted(page, "latency") != median

    slider = part(page, "slider")
    slider.focus()
    page.keyboard.press("Home")
    assert moment(page).startswith("0:00: ")
    page.keyboard.press("ArrowRight")
    assert moment(page).startswith("0:01: ")
    expect(part(page, "at")).to_have_text("0:01")
    part(page, "worst-at").click()
    assert part(page, "at").inner_text() in part(page, "worst-at").inner_text()

    page.get_by_role("button", name="Closer").click()
    expect(page.get_by_role("button", name="Show all")).to_be_enabled()
    fewer = int(slider.get_attribute("max")) - int(slider.get_attribute("min"))
    assert 4_000 < fewer < 6_000
    chart = page.locator('[data-chart="goodput"] .u-over')
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.43 * box["width"], box["y"] + 30, steps=3)
    page.mouse.up()
    assert int(slider.get_attribute("max")) - int(slider.get_attribute("min")) < 200
    expect(part(page, "thinned")).to_be_hidden()
    cursors = page.locator(".u-cursor-x").evaluate_all("all => all.map(it => it.style.transform)")
    assert len(set(cursors)) == 1, cursors
    page.get_by_role("button", name="Show all").click()
    wait_for_points(page, 9_000)
    page.emulate_media(color_scheme="light")
    light = painted(page, "rate")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "before => document.querySelector('[data-chart=rate] canvas').toDataURL() !== before",
        arg=light,
    )
    page.set_viewport_size({"width": 700, "height": 900})
    page.wait_for_function(
        "() => { const it = document.querySelector('[data-chart=rate]');"
        " return it.querySelector('.u-wrap').clientWidth === it.clientWidth; }"
    )
    assert visitor.trouble == []


def test_it_looks_good_everywhere_and_stands_hostile_recordings(
    visitor: Visitor, host: HostProcess
) -> None:
    recording = save_recording(host.config, made_samples(300), id="good")
    stages = tuple(StageTiming(name=name, p50_us=900, p99_us=2_000) for name in HOSTILE)
    strange = [attrs.evolve(it, stages=stages) for it in made_samples(30)]
    hostile = save_recording(host.config, strange, id="bad", codec="<b>" * 20, client="\u202e<b>")
    for path in ("performance", f"performance/{recording}", f"performance/{hostile}"):
        page = visitor.go(path)
        if "/" in path:
            expect(part(page, "fps")).not_to_be_empty()
        for name, look in LOOKS.items():
            page.emulate_media(color_scheme=look["color_scheme"])
            page.set_viewport_size(look["viewport"])
            assert visitor.findings() == [], name
            assert visitor.wider() <= 0, (path, name)
            visitor.picture(f"{path.replace('/', '-')}-{name}")
    expect(part(page, "stages")).to_contain_text("<img src=x")
    expect(page.locator("main img")).to_have_count(0)
    assert visitor.trouble == []


def test_several_streams_are_told_apart(visitor: Visitor, host: HostProcess) -> None:
    first = made_samples(60)
    second = [attrs.evolve(it, session_id=2, client="0badcafe", fps=30.0) for it in first]
    both = [sample for pair in zip(first, second, strict=True) for sample in pair]
    recording = save_recording(host.config, both, id="both", fps=30)
    page = visitor.go(f"performance/{recording}")

    choice = part(page, "stream")
    expect(choice.locator("option")).to_have_text(["Session 1: c0ffee00", "Session 2: 0badcafe"])
    expect(part(page, "fps")).to_have_text("30.0 of 30")
    choice.select_option(label="Session 1: c0ffee00")

    expect(part(page, "fps")).not_to_contain_text("of")
    assert wait_for_points(page, 1) == 59
    assert visitor.trouble == []


def test_a_new_capture_is_seen_from_its_end_whatever_the_last_one_was_held_at(
    visitor: Visitor,
) -> None:
    page = visitor.page
    captures: list[dict[str, Any]] = [
        {
            "meta": {"fps": 60, "started_unix_ms": number},
            "samples": [*map(attrs.asdict, made_samples(length))],
        }
        for number, length in ((1, 60), (2, 3))
    ]
    page.route("**/capture/status", lambda it: it.fulfill(json={"armed": True}))
    page.route(
        "**/capture/live",
        lambda it: it.fulfill(json=captures[0], headers={"Last-Event-ID": "aaaaaaaa-1"}),
    )
    page.route(
        "**/stats/stream**",
        lambda it: it.fulfill(content_type="text/event-stream", body="retry: 100000\n\n"),
    )
    visitor.go("performance")
    slider = part(page, "slider")
    slider.press("ArrowLeft")
    part(page, "closer").click()
    assert moment(page).startswith("0:58")
    expect(part(page, "all")).to_be_enabled()

    captures.pop(0)
    page.evaluate("document.body.dispatchEvent(new CustomEvent('pf-stats'))")

    expect(slider).to_have_attribute("max", "2")
    expect(part(page, "all")).to_be_disabled()
    assert moment(page).startswith("0:02")
    assert visitor.trouble == []


def test_a_damaged_recording_says_so(visitor: Visitor, host: HostProcess) -> None:
    recording = save_recording(host.config, made_samples(3), id="damaged")
    path = host.config / "captures" / f"{recording}.json"
    path.write_bytes(path.read_bytes().replace(b'"fps":60.0', b'"fps":-1.0'))
    page = visitor.go(f"performance/{recording}")

    expect(page.locator("#view-problem")).to_contain_text("is damaged")
    expect(page.locator("#view")).to_be_hidden()


def test_the_first_load_of_a_page_is_small(visitor: Visitor, host: HostProcess) -> None:
    recording = save_recording(host.config, made_samples(3), id="small")
    network = visitor.context.new_cdp_session(visitor.page)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    loads = {}
    for path in (*(place.path for place in PLACES), f"performance/{recording}"):
        if visitor.page.goto(f"{visitor.base}{path}").status == 404:
            continue
        visitor.page.wait_for_load_state("load")
        visitor.page.evaluate("document.fonts.ready.then(() => true)")
        loads[path] = visitor.page.evaluate(
            "['navigation', 'resource'].flatMap(kind => performance.getEntriesByType(kind))"
            ".filter(it => it.initiatorType !== 'img')"
            ".reduce((sum, it) => sum + it.transferSize, 0)"
        )

    assert len(loads) > 1
    assert {path: size for path, size in loads.items() if size > MAX_FIRST_LOAD_BYTES} == {}
    assert all(size > 20_000 for size in loads.values()), loads
