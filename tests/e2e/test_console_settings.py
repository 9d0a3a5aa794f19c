"""The Settings and Logs pages, in a real browser and beside the file, the API and the log."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from host_process import HostProcess, eventually
from playwright.sync_api import Browser, Locator, Page, expect
from visitor import LIMIT_MS, LOOKS, Visitor

pytestmark = [pytest.mark.e2e, pytest.mark.unhurried, pytest.mark.timeout(240)]

HOSTILE = '<img src=x onerror="alert(1)">\u202egnp.exe ' + "x" * 300
PIN = "0417"
SECRET = "c4n4ry-7f3a9b1e"
FILE = f"""# Written by hand.
[stream]
max_fps = 120 # the television

[plugin.odd]
api_token = "{SECRET}"
colour = "red"
"""


@pytest.fixture(scope="module")
def module_settings() -> str:
    return FILE


@pytest.fixture(autouse=True)
def patience() -> None:
    expect.set_options(timeout=LIMIT_MS)


def setting(page: Page, key: str) -> Locator:
    return page.locator(f'[data-setting="{key}"]')


def text_of(host: HostProcess) -> str:
    return (host.config / "config.toml").read_text()


def change(host: HostProcess, **values: object) -> None:
    wanted = {name.replace("__", "."): value for name, value in values.items()}
    status, told = host.api("PATCH", "/config", {"set": wanted})
    assert status == 200, told


def refused(visitor: Visitor) -> list[str]:
    """All trouble but the browser's own note of an answer that refuses."""
    return [it for it in visitor.trouble if "the server responded with a status of 4" not in it]


def status_with(host: HostProcess, token: str) -> int:
    address = f"http://127.0.0.1:{host.mgmt_port}/api/v1/status"
    try:
        with urlopen(Request(address, headers={"Authorization": f"Bearer {token}"}), timeout=30):
            return 200
    except HTTPError as error:
        return error.code


def test_a_setting_is_saved_where_it_stands_and_the_file_stays_a_persons_own(
    visitor: Visitor,
) -> None:
    host, page = visitor.host, visitor.go("settings")
    fps, mode = setting(page, "stream.max_fps"), setting(page, "desktop.mode")
    expect(fps).to_contain_text("config.toml line 3 · built in: 240")
    expect(setting(page, "host.base_port")).to_contain_text("--base-port")
    expect(page.get_by_label("First port for devices")).to_be_disabled()
    expect(fps.get_by_role("button", name="Save")).to_be_hidden()

    page.get_by_label("Most pictures a second").fill("90")
    fps.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    expect(fps.get_by_role("button", name="Save")).to_be_hidden()
    expect(page.get_by_label("Most pictures a second")).to_be_focused()
    page.get_by_label("Where apps appear").select_option("On the desktop of this machine")
    mode.get_by_role("button", name="Save").click()
    expect(mode).to_contain_text("built in: On a display of their own")
    assert text_of(host) == FILE.replace("120", "90") + '\n[desktop]\nmode = "attach"\n'

    search = page.get_by_label("Search the settings")
    search.fill("where apps")
    expect(fps).to_be_hidden()
    change(host, stream__guests="watch")
    expect(setting(page, "stream.guests")).to_contain_text("built in: Play")
    expect(fps).to_be_hidden()
    search.fill("nothing of that name")
    expect(page.get_by_text("No setting is called that.")).to_be_visible()
    search.fill("")

    for key in ("desktop.mode", "stream.guests"):
        setting(page, key).get_by_role("button", name="Back to what is built in").click()
        expect(setting(page, key)).not_to_contain_text("config.toml")
    expect(page.get_by_label("Where apps appear")).to_have_value("own")
    expect(page.get_by_label("A device that has joined may")).to_have_value("play")
    assert "# Written by hand.\n[stream]\nmax_fps = 90 # the television\n" in text_of(host)
    assert visitor.trouble == []


def test_a_bad_value_is_refused_at_its_field_and_what_is_half_typed_stays(
    visitor: Visitor,
) -> None:
    host, page = visitor.host, visitor.go("settings")
    before = text_of(host)
    address, names = page.get_by_label("Address at the proxy"), page.get_by_label("Further names")
    problem = setting(page, "mgmt.public_url").get_by_role("alert")
    address.fill("https://home.example/api/pf")
    page.keyboard.press("Enter")
    expect(problem).to_contain_text("does not begin with /api or /metrics")
    assert text_of(host) == before
    page.get_by_label("HTTPS with its own certificate").check()
    names.press_sequentially("den.l")

    change(host, desktop__mode="attach", stream__codecs=["hevc"])
    expect(page.get_by_label("Where apps appear")).to_have_value("attach")
    expect(page.get_by_label("H.264")).not_to_be_checked()
    expect(names).to_be_focused()
    names.press_sequentially("an")
    expect(names).to_have_value("den.lan")
    expect(address).to_have_value("https://home.example/api/pf")
    expect(problem).to_contain_text("does not begin with /api or /metrics")
    expect(page.get_by_label("HTTPS with its own certificate")).to_be_checked()

    setting(page, "mgmt.public_url").get_by_role("button", name="As it was").click()
    expect(address).to_have_value("")
    expect(problem).to_be_hidden()
    setting(page, "mgmt.names").get_by_role("button", name="Save").click()
    expect(setting(page, "mgmt.names")).to_contain_text("Waits for a restart")
    expect(page.locator("#settings-waiting")).to_contain_text("mgmt.names")
    assert 'names = ["den.lan"]' in text_of(host)
    page.get_by_label("AV1").check()
    setting(page, "stream.codecs").get_by_role("button", name="Save").click()
    expect(setting(page, "stream.codecs").get_by_role("button", name="Save")).to_be_hidden()
    assert 'codecs = ["hevc", "av1"]' in text_of(host)
    for key in ("mgmt.names", "desktop.mode", "stream.codecs"):
        setting(page, key).get_by_role("button", name="Back to what is built in").click()
        expect(setting(page, key)).not_to_contain_text("config.toml")
    expect(page.get_by_label("H.264")).to_be_checked()
    expect(page.locator("#settings-waiting")).to_have_count(0)
    assert refused(visitor) == []


def test_an_old_login_is_asked_whether_it_is_still_the_same_person(visitor: Visitor) -> None:
    """The first answer is put in by hand, as a login gets old in ten minutes only."""
    page = visitor.go("settings")
    answer = json.dumps({"error": "show the token again", "code": "confirm_token"})
    page.route(
        "**/api/v1/config",
        lambda it: it.fulfill(status=403, content_type="application/json", body=answer),
        times=1,
    )
    page.get_by_label("Most pictures a second").fill("75")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Is it still you?")
    dialog.get_by_label("Token").fill("wrong")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("That is not the token.")
    expect(dialog.get_by_label("Token")).to_have_value("")
    dialog.get_by_label("Token").fill(visitor.host.token())
    page.keyboard.press("Enter")

    expect(dialog).to_be_hidden()
    expect(setting(page, "stream.max_fps").get_by_role("button", name="Save")).to_be_hidden()
    assert "max_fps = 75 # the television" in text_of(visitor.host)
    assert visitor.host.token() not in page.content()
    assert refused(visitor) == []


def test_a_token_is_shown_once_works_and_is_taken_back(visitor: Visitor) -> None:
    host, page = visitor.host, visitor.go("settings")
    page.get_by_role("button", name="New token").click()
    dialog = page.get_by_role("dialog", name="New token")
    dialog.get_by_label("Name").fill("lamp")
    dialog.get_by_label("Good for how many days").fill("7")
    page.keyboard.press("Enter")
    made = page.locator("#token-made")
    expect(made).to_contain_text("pft_")
    token = made.locator("code").inner_text()
    row = page.get_by_role("row", name="lamp", include_hidden=True)
    expect(row).to_have_count(1)
    assert made.locator("code").inner_text() == token
    assert status_with(host, token) == 200
    made.get_by_role("button", name="I have it").click()
    expect(row).to_contain_text("Look only")
    assert token not in page.content()

    row.get_by_role("button", name="Revoke").click()
    page.locator("#confirm-yes").click()
    expect(row).to_have_count(0)
    assert status_with(host, token) == 401
    assert visitor.trouble == []


def test_the_page_speaks_german_when_told_to_and_english_again(visitor: Visitor) -> None:
    page = visitor.go("settings")
    look = page.locator(".settings-look")
    look.get_by_label("Language").select_option("Deutsch")
    look.get_by_role("button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Einstellungen")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_label("Verschlüsselung")).to_contain_text("Immer")
    look.get_by_label("Sprache").select_option("English")
    look.get_by_role("button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Settings")
    assert visitor.trouble == []


@contextmanager
def asking(host: HostProcess, identity: Path) -> Iterator[None]:
    """A device with a hostile name that waits for its PIN, as long as the block lasts."""
    query = {
        "uniqueid": "0123456789ABCDEF",
        "devicename": HOSTILE,
        "phrase": "getservercert",
        "salt": bytes(16).hex(),
        "clientcert": (identity / "cert.pem").read_bytes().hex(),
    }
    request = f"GET /pair?{urlencode(query)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with socket.create_connection(("127.0.0.1", host.base_port), timeout=30) as connection:
        connection.sendall(request.encode())
        yield


def shown_lines(page: Page) -> Locator:
    return page.locator("#log-rows > :not([hidden])")


def test_the_log_is_followed_filtered_searched_and_taken_along_without_secrets(
    visitor: Visitor, identities: dict[str, Path], tmp_path: Path
) -> None:
    host = visitor.host
    _, made = host.api("POST", "/tokens", {"name": "lamp", "scope": "read"})
    assert status_with(host, made["token"]) == 200
    page = visitor.go("logs")
    expect(shown_lines(page).first).to_be_visible()

    change(host, stream__max_fps=61)
    expect(shown_lines(page).filter(has_text="configuration changed")).not_to_have_count(0)
    with asking(host, identities["mallory"]):
        hostile = shown_lines(page).filter(has_text="<img src=x")
        expect(hostile.last).to_contain_text("gnp.exe")
        host.enter_pin(PIN)
    assert page.locator("#log-lines img").count() == 0

    page.get_by_label("Search").fill("CONFIGURATION")
    expect(hostile).to_have_count(0)
    expect(shown_lines(page).last).to_contain_text("stream.max_fps")
    shown = shown_lines(page).count()
    expect(page.locator("#log-count")).to_contain_text(f"{shown} of ")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download what is shown").click()
    download.value.save_as(tmp_path / "log")
    taken = (tmp_path / "log").read_text()
    assert download.value.suggested_filename.endswith(".log")
    assert taken.count("\n") == shown
    assert "info punktfunk.host.live_config: configuration changed: stream.max_fps" in taken
    page.get_by_label("Search").fill("no line is like that one")
    expect(page.get_by_text("No line is like that.")).to_be_visible()
    page.get_by_label("Search").fill("")
    page.get_by_label("Part of the host").select_option("mgmt")
    page.get_by_label("Level").select_option("warning")
    expect(shown_lines(page).filter(has_text="Info")).to_have_count(0)
    page.get_by_label("Part of the host").select_option("")
    page.get_by_label("Level").select_option("debug")

    with page.expect_download() as download:
        page.get_by_role("button", name="Download what is shown").click()
    download.value.save_as(tmp_path / "all")
    everything = (tmp_path / "all").read_text() + page.content()
    for path in ("", "devices", "settings", "plugins"):
        everything += visitor.go(path).content()
    for secret in (host.token(), made["token"], SECRET):
        assert secret not in everything
    assert re.search(rf"\b{PIN}\b", everything) is None
    assert host.api("DELETE", f"/tokens/{made['info']['id']}")[0] == 204
    assert visitor.trouble == []


def test_who_looks_back_in_the_log_is_left_there(visitor: Visitor) -> None:
    host = visitor.host
    for number in range(60, 110):
        change(host, stream__max_fps=number)
    page = visitor.go("logs")
    box, lines = page.get_by_label("Follow"), page.locator("#log-lines")
    at_end = "it => it.scrollHeight - it.scrollTop - it.clientHeight < 40"
    expect(shown_lines(page).nth(40)).to_be_attached()
    eventually(lambda: lines.evaluate(at_end), 40, "the last line is seen")

    lines.focus()
    page.keyboard.press("Home")
    expect(box).not_to_be_checked()
    change(host, stream__max_fps=59)
    newer = page.get_by_role("button", name="New lines")
    expect(newer).to_be_visible()
    eventually(lambda: lines.evaluate("it => it.scrollTop") == 0, 40, "the first line is seen")
    newer.click()
    expect(box).to_be_checked()
    expect(newer).to_be_hidden()
    eventually(lambda: lines.evaluate(at_end), 40, "the last line is seen")
    assert visitor.trouble == []


def test_both_pages_are_good_in_every_look(
    browser: Browser, host: HostProcess, identities: dict[str, Path]
) -> None:
    change(host, host__name="Living room", desktop__mode="attach", drivers__encode=["x" * 300])
    _, made = host.api("POST", "/tokens", {"name": HOSTILE.partition("\u202e")[0], "scope": "read"})
    with asking(host, identities["mallory"]):
        for name, look in LOOKS.items():
            with Visitor(browser, host, **look) as visitor:
                page = visitor.log_in().go("settings")
                page.locator(".from-file summary").click()
                expect(page.locator("#settings-access tbody")).to_contain_text("<img src=x")
                expect(page.get_by_text("Waits for a restart")).to_have_count(1)
                assert visitor.wider() <= 0, name
                assert visitor.findings() == [], name
                visitor.picture(f"settings-{name}")
                page = visitor.go("logs")
                expect(shown_lines(page).filter(has_text="<img src=x")).not_to_have_count(0)
                assert visitor.wider() <= 0, name
                assert visitor.findings() == [], name
                visitor.picture(f"logs-{name}")
                assert visitor.trouble == []
    host.api("DELETE", f"/tokens/{made['info']['id']}")
    assert SECRET not in host.log_text()


def test_the_keyboard_alone_is_enough(visitor: Visitor) -> None:
    page = visitor.go("")

    def tab_to(wanted: str) -> None:
        for _ in range(150):
            page.keyboard.press("Tab")
            if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
                return
        raise AssertionError(f"no way to {wanted} with the keyboard")

    tab_to(".skip")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.reload()
    tab_to('nav a[href$="settings"]')
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings")
    tab_to("#field-stream-inhibit_idle")
    page.keyboard.press("Space")
    tab_to("#setting-stream-inhibit_idle .button.primary")
    page.keyboard.press("Enter")

    eventually(lambda: "inhibit_idle = false" in text_of(visitor.host), 40, "it is in the file")
    assert visitor.trouble == []
