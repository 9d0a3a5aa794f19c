"""A person at the web console, in a real browser, and everything nobody wants to see of a page."""

import os
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from host_process import HostProcess
from playwright.sync_api import Browser, BrowserContext, Page, Response

LIMIT_MS = 40_000
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1_280, "height": 900}
LOOKS = {
    f"{size}-{scheme}": {"color_scheme": scheme, "viewport": viewport}
    for size, viewport in (("desktop", DESKTOP), ("phone", PHONE))
    for scheme in ("light", "dark")
    if "PUNKTFUNK_SCREENSHOTS" in os.environ or (size == "phone") == (scheme == "dark")
}
"""Options of a browser's context, for every look that pages have to be good in: each size and
each scheme once, and with each other where pictures are wanted.
"""

_AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Visitor:
    """One browser of its own: nothing of it is left afterwards.

    Attributes:
        asked: Every address that its pages asked for.
        trouble: Messages of the console (violations of the content policy among them), errors,
            dialogs of the browser's own, answers of 500 and above.
    """

    def __init__(self, browser: Browser, host: HostProcess, **options: Any) -> None:
        self.host = host
        self.base = f"http://127.0.0.1:{host.mgmt_port}/"
        self.asked: list[str] = []
        self.trouble: list[str] = []
        settings = {"locale": "en-GB", "viewport": DESKTOP, "reduced_motion": "reduce", **options}
        self.context: BrowserContext = browser.new_context(**settings)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(LIMIT_MS)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.trouble.append(message.text))
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on("dialog", self._on_dialog)
        self.page.on("response", self._on_response)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.context.close()

    def log_in(self) -> Self:
        """As a person does who has the token."""
        self.page.goto(f"{self.base}login")
        self.page.get_by_role("textbox", name="Token").fill(self.host.token())
        self.page.keyboard.press("Enter")
        self.page.locator(".rail").wait_for()
        return self

    def go(self, path: str) -> Page:
        """Open a page, by its path from the console's root, and wait until it follows events."""
        self.page.goto(f"{self.base}{path}")
        self.page.locator("#live-mark.on").wait_for(state="attached")
        return self.page

    def toast(self) -> str:
        """What the page says at its edge."""
        return self.page.locator(".toast").last.inner_text()

    def findings(self) -> list[str]:
        """What axe-core finds that is serious or worse on the page as it is."""
        self.page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text())
        options = {"runOnly": _AXE_RULES, "resultTypes": ["violations"]}
        found = self.page.evaluate("options => axe.run(document, options)", options)
        return [
            f"{it['id']}: {node['html'][:200]}"
            for it in found["violations"]
            if it["impact"] in ("serious", "critical")
            for node in it["nodes"]
        ]

    def wider(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    def picture(self, name: str) -> None:
        """Keep what the page looks like, where `PUNKTFUNK_SCREENSHOTS` names a folder."""
        if folder := os.environ.get("PUNKTFUNK_SCREENSHOTS"):
            self.page.screenshot(path=Path(folder) / f"console-{name}.png", full_page=True)

    def _on_dialog(self, dialog: Any) -> None:
        self.trouble.append(dialog.message)
        dialog.dismiss()

    def _on_response(self, response: Response) -> None:
        if response.status >= 500:
            self.trouble.append(f"{response.status} {response.url}")
