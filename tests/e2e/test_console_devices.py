"""The Devices page: from the first visit to a paired client, and out again."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from harness import ClientError
from host_process import HostProcess
from playwright.sync_api import Browser, Locator, Page, expect
from proof import Player, play
from visitor import LOOKS, Visitor

pytestmark = [pytest.mark.e2e, pytest.mark.unhurried, pytest.mark.timeout(180)]

LIMIT_MS = 40_000
SMALL = {"width": 640, "height": 360, "fps": 30, "bitrate_kbps": 2_000}
HOSTILE = '<img src=x onerror="alert(1)">\u202egnp.exe ' + "x" * 10_000


def prompt(page: Page) -> Locator:
    return page.locator(".pin-form")


def enter_pin(page: Page, pin: str) -> None:
    prompt(page).get_by_label("PIN that it shows").fill(pin)
    prompt(page).get_by_role("button", name="Pair").click()


def result(page: Page) -> Locator:
    return page.locator("#pairing-result")


def rows(page: Page) -> Locator:
    return page.locator("#paired tbody tr")


def confirm(page: Page) -> str:
    """Say yes, and return what was asked."""
    dialog = page.locator("#confirm[open]")
    expect(dialog).to_be_visible(timeout=LIMIT_MS)
    asked = dialog.locator("#confirm-text").inner_text()
    dialog.locator("#confirm-yes").click()
    return asked


@contextmanager
def asking(host: HostProcess, identity: Path, name: str) -> Iterator[None]:
    """A device at 127.0.0.2, of any name, that waits for its PIN as long as the block lasts."""
    certificate = (identity / "cert.pem").read_bytes()
    query = {
        "uniqueid": "0123456789ABCDEF",
        "devicename": name,
        "updateState": "1",
        "phrase": "getservercert",
        "salt": bytes(16).hex(),
        "clientcert": certificate.hex(),
    }
    place, ours = ("127.0.0.1", host.base_port), ("127.0.0.2", 0)
    with socket.create_connection(place, 30, ours) as connection:
        asked = f"GET /pair?{urlencode(query)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        connection.sendall(asked.encode())
        yield


def test_from_the_first_visit_to_a_paired_client_and_out_again(
    visitor: Visitor, host: HostProcess, player: Player
) -> None:
    page = visitor.go("devices")
    expect(page.locator("#first-device")).to_contain_text(str(host.base_port))
    visitor.picture("devices-first")
    client = player(host, "alice", pair=False)

    wrong = client.begin_pair("1111")
    expect(prompt(page)).to_contain_text("127.0.0.1", timeout=LIMIT_MS)
    visitor.picture("devices-asked")
    enter_pin(page, "2222")
    expect(result(page)).to_contain_text("wrong PIN", timeout=LIMIT_MS)
    with pytest.raises(ClientError) as refused:
        wrong.result(30)
    assert refused.value.kind == "WrongPinError"
    expect(prompt(page)).to_have_count(0)
    expect(rows(page)).to_have_count(0)

    visitor.go("sessions")
    right = client.begin_pair("3333")
    notice = page.locator("#pairing-notice")
    expect(notice).to_contain_text("waits for its PIN. 127.0.0.1", timeout=LIMIT_MS)
    notice.get_by_role("link", name="Enter it").click()
    enter_pin(page, "3333")
    expect(result(page)).to_contain_text("is paired", timeout=LIMIT_MS)
    assert right.result(30)["pin_matches"] is True
    assert len(client.applist()) == 2
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("just now")
    (told,) = host.api("GET", "/clients")[1]
    assert abs(told["last_seen_unix"] - time.time()) < 120

    rows(page).get_by_role("link").first.click()
    page.get_by_role("button", name="Rename").click()
    page.locator("#rename").get_by_label("Name").fill("Living room")
    page.locator("#rename").get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Living room", timeout=LIMIT_MS)

    page.get_by_label("Most pictures a second").fill("24")
    page.get_by_label("Codecs").select_option(label="H.264")
    page.locator("#own-settings").get_by_role("button", name="Save").click()
    expect(page.locator(".own-line.set")).to_have_count(2, timeout=LIMIT_MS)
    assert f'client = "{told["fingerprint"]}"' in (host.config / "config.toml").read_text()
    _, explained = host.api("GET", f"/config/explain?client={told['fingerprint']}")
    values = {it["key"]: it["value"] for it in explained}
    assert (values["stream.max_fps"], values["stream.codecs"]) == (24, ["h264"])

    path = "/config/override"  # another browser, while something is typed here
    page.get_by_label("Highest picture").fill("480")
    other = {"client": told["fingerprint"], "settings": {"max_fps": 25, "codecs": ["hevc"]}}
    assert host.api("PUT", path, other)[0] == 200
    expect(page.get_by_label("Most pictures a second")).to_have_value("25", timeout=LIMIT_MS)
    expect(page.get_by_label("Codecs")).to_have_value('["hevc"]')
    expect(page.get_by_label("Highest picture")).to_have_value("480")
    page.get_by_label("Highest picture").fill("")
    page.get_by_label("Most pictures a second").fill("")
    page.get_by_label("Codecs").select_option(label="As for everybody")
    page.locator("#own-settings").get_by_role("button", name="Save").click()
    expect(page.locator(".own-line.set")).to_have_count(0, timeout=LIMIT_MS)
    assert "override" not in (host.config / "config.toml").read_text()

    began = int(time.time())
    play(client, **SMALL)
    client.wait_frames(20)
    seen = json.loads((host.config / "last-seen.json").read_text())["clients"]
    assert seen[0]["last_seen_unix"] >= began
    page.locator(".way a").click()
    expect(rows(page)).to_contain_text("Plays Test pattern", timeout=LIMIT_MS)
    expect(rows(page)).to_contain_text("Living room")
    visitor.picture("devices-plays")
    rows(page).get_by_role("button", name="Unpair").click()
    asked = confirm(page)
    assert "Living room" in asked
    assert "Test pattern" in asked
    client.wait_event("terminated", timeout_s=10)
    expect(rows(page)).to_have_count(0, timeout=LIMIT_MS)
    assert client.get("applist")["status_code"] == 401
    assert visitor.trouble == []


def test_a_pin_that_is_half_typed_survives_another_device_that_asks(
    visitor: Visitor, host: HostProcess, identities: dict[str, Path], player: Player
) -> None:
    client = player(host, "carol", pair=False)
    page = visitor.go("devices")
    with asking(host, identities["bob"], "Bob's"):
        prompt(page).get_by_label("PIN that it shows").press_sequentially("12")
        waiting = client.begin_pair("4711")
        expect(prompt(page)).to_have_count(2, timeout=LIMIT_MS)

        fields = prompt(page).get_by_label("PIN that it shows")
        expect(fields.first).to_have_value("12")
        expect(fields.first).to_be_focused()
        page.keyboard.press("End")
        page.keyboard.type("34")
        expect(fields.first).to_have_value("1234")

        # Each form is for its own device, whichever is the first on the page.
        fields.last.fill("4711")
        fields.last.press("Enter")
        assert waiting.result(30)["pin_matches"] is True
        expect(prompt(page)).to_have_count(1, timeout=LIMIT_MS)
        expect(prompt(page)).to_contain_text("Bob's")
    expect(result(page)).to_contain_text("does not wait any more", timeout=LIMIT_MS)
    expect(prompt(page)).to_have_count(0)
    assert visitor.trouble == []


def test_who_is_not_logged_in_sees_nothing_of_it(
    browser: Browser, host: HostProcess, identities: dict[str, Path]
) -> None:
    with (
        Visitor(browser, host) as stranger,
        asking(host, identities["bob"], "Bob's secret tablet"),
    ):
        for path in ("devices", f"devices/{'0' * 64}", "parts/devices-waiting"):
            stranger.page.goto(f"{stranger.base}{path}")
            assert stranger.page.locator("#token").is_visible(), path
            assert "Bob" not in stranger.page.content()
        status = stranger.page.evaluate(
            """async (path) => (await fetch(path, {headers: {"HX-Request": "true"}})).status""",
            f"{stranger.base}parts/devices-list",
        )

    assert status == 401


def test_it_looks_right_whatever_devices_are_called(
    visitor: Visitor, host: HostProcess, identities: dict[str, Path], player: Player
) -> None:
    player(host, "alice")
    fingerprint = host.api("GET", "/clients")[1][0]["fingerprint"]
    assert host.api("PATCH", f"/clients/{fingerprint}", {"name": HOSTILE[:64]})[0] == 200
    with asking(host, identities["bob"], HOSTILE):
        for path, name in (
            ("devices", "devices"),
            (f"devices/{fingerprint}", "devices-one"),
            ("performance", "devices-notice"),
        ):
            page = visitor.go(path)
            for look, options in LOOKS.items():
                page.emulate_media(color_scheme=options["color_scheme"])
                page.set_viewport_size(options["viewport"])
                assert visitor.findings() == [], (name, look)
                assert visitor.wider() <= 0, (name, look)
                visitor.picture(f"{name}-{look}")
            assert page.locator("main img").count() == 0
            page.set_viewport_size(LOOKS["desktop-light"]["viewport"])
    assert visitor.trouble == []
