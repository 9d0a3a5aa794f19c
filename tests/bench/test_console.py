"""The console in a real browser: how soon a page says something, and what a sample more costs.

Everything is compared within one run: pages with a page that has nothing but a sentence, and a
sample after 10,000 with one after 1,000.
"""

import os
import shutil
import statistics
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from host_process import HostProcess
from playwright.sync_api import sync_playwright
from recordings import made_samples, save_recording
from visitor import Visitor

from punktfunk.console.shell import PLACES

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(os.environ.get("PUNKTFUNK_BENCH") != "1", reason="PUNKTFUNK_BENCH=1 only"),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.timeout(240),
]

ROUNDS, APPENDED = 5, 40
BARE = b"<!doctype html><title>Bare</title><p>Hello"
PAINTED = """new Promise(resolve => new PerformanceObserver((list, observer) => {
  observer.disconnect();
  resolve(list.getEntries()[0].startTime);
}).observe({ type: "paint", buffered: true }))"""
BYTES = """["navigation", "resource"].flatMap(kind => performance.getEntriesByType(kind))
  .filter(it => it.initiatorType !== "img").reduce((sum, it) => sum + it.transferSize, 0)"""
APPEND = """async (count) => {
  const { view } = await import(document.querySelector("script[src*='performance.js']").src);
  const { samples } = view.stream;
  for (let turn = 0; turn < count; turn += 1) {
    view.add({ ...samples.at(-1), t_ms: samples.at(-1).t_ms + 1000 });
    await new Promise(requestAnimationFrame);
  }
}"""


class Bare(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(BARE)))
        self.end_headers()
        self.wfile.write(BARE)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def bare():
    """Address of a page that loads nothing else."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Bare) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def visitor():
    with sync_playwright() as playwright, HostProcess() as host:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with Visitor(browser, host) as visitor:
            yield visitor.log_in()
        browser.close()


def test_a_page_says_something_nearly_as_soon_as_one_with_nothing_to_load(visitor, bare):
    recording = f"performance/{save_recording(visitor.host.config, made_samples(300))}"
    page = visitor.page
    network = visitor.context.new_cdp_session(page)
    network.send("Network.enable")
    paths = [*(place.path for place in PLACES), recording]
    there = [path for path in paths if page.goto(visitor.base + path).status == 200]
    first, again, sizes = ({path: [] for path in (bare, *there)} for _ in range(3))
    for rounds, uncached in ((first, True), (again, False)):
        network.send("Network.setCacheDisabled", {"cacheDisabled": uncached})
        for _ in range(ROUNDS):
            for path in rounds:
                page.goto(path if path == bare else visitor.base + path)
                rounds[path].append(page.evaluate(PAINTED))
                if uncached:
                    page.evaluate("document.fonts.ready.then(() => true)")
                    sizes[path].append(page.evaluate(BYTES))
    network.send("Network.setCacheDisabled", {"cacheDisabled": False})

    nothing = {id(it): statistics.median(it[bare]) for it in (first, again)}
    print(f"\nms to the first paint, {ROUNDS} rounds (load average {os.getloadavg()[0]:.2f})")
    for path in (bare, *there):
        name = "a bare page" if path == bare else f"/{path}"
        told = []
        for words, rounds in (("first visit", first), ("cached", again)):
            median = statistics.median(rounds[path])
            told.append(f"{words} {median:.0f} = {median / nothing[id(rounds)]:.1f} x bare")
        print(f"  {name}: {', '.join(told)}; {statistics.median(sizes[path]):,.0f} bytes")
    worst = max(statistics.median(again[path]) for path in there)
    assert worst < 50 * nothing[id(again)]


def test_a_sample_more_costs_no_more_after_10000_than_after_1000(visitor):
    counts = (1_000, 10_000)
    page, found = visitor.page, {count: [] for count in counts}
    metrics = visitor.context.new_cdp_session(page)
    metrics.send("Performance.enable", {"timeDomain": "threadTicks"})

    def cpu_ms():
        told = metrics.send("Performance.getMetrics")["metrics"]
        return 1_000 * next(it["value"] for it in told if it["name"] == "TaskDuration")

    for _ in range(ROUNDS):
        for count in counts:
            made = made_samples(count)
            visitor.go(f"performance/{save_recording(visitor.host.config, made)}")
            page.locator("#view").wait_for()
            page.evaluate(APPEND, 3)
            before_ms = cpu_ms()
            page.evaluate(APPEND, APPENDED)
            found[count].append((cpu_ms() - before_ms) / APPENDED)

    print(
        f"\nms of the page's CPU time for one more sample (load average {os.getloadavg()[0]:.2f})"
    )
    medians = {count: statistics.median(found[count]) for count in counts}
    for count in counts:
        print(f"  after {count:,}: {medians[count]:.1f}  ({_listed(found[count])})")
    print(f"  10,000 against 1,000: {medians[10_000] / medians[1_000]:.2f} x")
    assert medians[10_000] < 4 * medians[1_000]


def _listed(values):
    return ", ".join(f"{value:.1f}" for value in values)
