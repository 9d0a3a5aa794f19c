"""The way into the console with the real command, the real host and a real browser."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from host_process import PROGRAM, HostProcess
from playwright.sync_api import Browser
from proof import Hosts
from visitor import Visitor

pytestmark = [pytest.mark.e2e, pytest.mark.unhurried, pytest.mark.timeout(180)]

FIELD = "#token"
SHORT_S = 4


@pytest.fixture
def stranger(browser: Browser, host: HostProcess) -> Iterator[Visitor]:
    """Somebody who is not logged in to the file's host."""
    with Visitor(browser, host) as visitor:
        yield visitor


def log_in(visitor: Visitor, token: str) -> None:
    visitor.page.locator(FIELD).fill(token)
    visitor.page.locator("form#login button").last.click()


def wait_until_in(visitor: Visitor) -> None:
    visitor.page.locator('form[action$="logout"]').wait_for(state="attached")


def cookie_of(visitor: Visitor) -> dict[str, Any]:
    (cookie,) = visitor.context.cookies()
    return dict(cookie)


def command(host: HostProcess, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROGRAM), *words, "--config-dir", str(host.config)],
        env={"PATH": os.environ["PATH"], "HOME": str(host.folder / "home")},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_link_logs_in_once_and_its_code_is_nowhere_afterwards(
    stranger: Visitor, browser: Browser
) -> None:
    made = command(stranger.host, "console")
    link = made.stdout.strip()
    code = link.partition("#code=")[2]
    assert made.returncode == 0
    assert len(code) >= 43

    stranger.page.goto(link)
    wait_until_in(stranger)

    assert stranger.page.url == stranger.base
    assert stranger.trouble == []
    assert [url for url in stranger.asked if code in url.partition("#")[0]] == []
    text = stranger.host.log_text()
    assert code not in text
    assert cookie_of(stranger)["value"] not in text
    with Visitor(browser, stranger.host) as second:
        second.page.goto(link)
        second.page.get_by_role("alert").filter(has_text="used before").wait_for()
        assert "code" not in second.page.url
        assert second.context.cookies() == []


def test_threat_25_the_browser_is_started_with_a_file_and_no_code(
    stranger: Visitor, tmp_path: Path
) -> None:
    told, program = tmp_path / "told", tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$@" > {told}.part\nmv {told}.part {told}\n')
    program.chmod(0o700)
    opening = subprocess.Popen(
        [str(PROGRAM), "console", "--config-dir", str(stranger.host.config)],
        env={
            **{"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
            **{"DISPLAY": ":0", "BROWSER": f"{program} %s"},
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not told.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        (uri,) = told.read_text().split()
        page = Path(uri.removeprefix("file://"))
        assert (page.stat().st_mode & 0o777, page.parent.stat().st_mode & 0o777) == (0o600, 0o700)

        stranger.page.goto(uri, wait_until="commit")
        wait_until_in(stranger)
    finally:
        opening.send_signal(signal.SIGINT)
        link, _ = opening.communicate(timeout=60)

    code = link.strip().partition("#code=")[2]
    assert len(code) >= 43
    assert code not in uri
    assert "code" not in stranger.page.url
    assert not page.parent.exists()


def test_threat_23_what_a_login_is_made_of_stays_with_the_browser(stranger: Visitor) -> None:
    token, page = stranger.host.token(), stranger.page
    page.goto(f"{stranger.base}no/such?x=1")
    log_in(stranger, "wrong")
    page.get_by_role("alert").filter(has_text="not the token").wait_for()
    log_in(stranger, token)
    wait_until_in(stranger)

    assert page.url == f"{stranger.base}no/such?x=1"
    cookie = cookie_of(stranger)
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["expires"]) == (True, "Strict", -1)
    assert page.evaluate("document.cookie") == ""
    assert token not in page.content()
    assert [url for url in stranger.asked if token in url or cookie["value"] in url] == []
    text = stranger.host.log_text()
    assert "wrong token" in text
    assert token not in text
    assert cookie["value"] not in text


def test_threat_15_a_form_on_another_sites_page_is_refused(visitor: Visitor) -> None:
    """`localhost` and `127.0.0.1` are one host and two sites."""
    page = visitor.page
    other = f"{visitor.base.replace('127.0.0.1', 'localhost')}evil"
    form = f'<form method="post" action="{visitor.base}logout"><button>Win</button></form>'
    page.route(other, lambda route: route.fulfill(body=form, content_type="text/html"))
    page.goto(other)

    with page.expect_response(f"{visitor.base}logout") as answer:
        page.get_by_role("button", name="Win").click()

    assert answer.value.status == 403
    page.goto(visitor.base)
    wait_until_in(visitor)


def test_logging_out_and_a_new_token_end_what_there_is(visitor: Visitor) -> None:
    host, page = visitor.host, visitor.page
    page.locator('form[action$="logout"] button').click()
    page.locator(FIELD).wait_for()
    log_in(visitor, host.token())
    wait_until_in(visitor)
    first = host.token()

    done = command(host, "token", "reset")

    assert done.returncode == 0
    assert done.stdout == f"A new token is in {host.config / 'mgmt-token'}.\n"
    assert host.token() != first
    page.goto(f"{visitor.base}devices")
    log_in(visitor, first)
    page.get_by_role("alert").filter(has_text="not the token").wait_for()
    log_in(visitor, host.token())
    wait_until_in(visitor)
    assert host.api("GET", "/status")[0] == 200


@pytest.mark.parametrize("limit", ["IDLE_NS", "LONGEST_NS"])
def test_a_login_ends_by_itself(own_host: Hosts, browser: Browser, limit: str) -> None:
    """The real host, with a limit of seconds in place of half an hour, or of twelve."""
    short = (
        f"from punktfunk.mgmt import logins; logins.{limit} = {SHORT_S} * 10**9; "
        "from punktfunk.cli import main; main()"
    )
    host = own_host(command=(str(PROGRAM.with_name("python")), "-c", short))
    with Visitor(browser, host) as visitor:
        page = visitor.log_in().page
        began = time.monotonic()
        if limit == "LONGEST_NS":  # also for somebody who is busy all the time
            while page.goto(f"{visitor.base}plugins") and page.url == f"{visitor.base}plugins":
                assert time.monotonic() - began < 5 * SHORT_S
        else:
            page.locator("#live-mark.on").wait_for(state="attached")
            page.wait_for_timeout(SHORT_S * 1_000)
            page.goto(f"{visitor.base}plugins")

        page.locator(FIELD).wait_for()

        assert page.url == f"{visitor.base}login?next=plugins"
        log_in(visitor, host.token())
        wait_until_in(visitor)
        assert page.url == f"{visitor.base}plugins"
        assert [it for it in visitor.trouble if "401" not in it] == []


def test_below_a_path_everything_finds_itself(own_host: Hosts, browser: Browser) -> None:
    host = own_host('[mgmt]\npublic_url = "https://home.example/games/pf"\n')
    with Visitor(browser, host) as visitor:
        page, root = visitor.page, f"{visitor.base}games/pf/"
        page.goto(root.removesuffix("/"))
        page.locator(FIELD).wait_for()
        assert page.url == f"{root}login"
        log_in(visitor, host.token())
        wait_until_in(visitor)
        assert page.url == root
        page.locator("#live-mark.on").wait_for(state="attached")
        assert [it for it in visitor.asked if not f"{it}/".startswith(root)] == []
        assert visitor.trouble == []

        visitor.context.clear_cookies()
        page.goto(f"{root}devices?x=1")
        log_in(visitor, host.token())
        wait_until_in(visitor)
        assert page.url == f"{root}devices?x=1"
