"""What the Devices pages say, to whom, and what they make of hostile names."""

import time
from typing import Any

import attrs
import pytest

from punktfunk.config.overrides import NAMES
from punktfunk.mgmt.values import MemberView, SessionView
from punktfunk.model.access import Scope
from punktfunk.model.clients import fingerprint_of
from punktfunk.model.video import VideoMode
from punktfunk.trust.held_off import HeldOff

DECK, PHONE = fingerprint_of(b"Deck"), fingerprint_of(b"Phone")


def play(host: Any, client: str, *, streaming: bool = True) -> None:
    member = MemberView(client=client, client_name="Deck", streaming=streaming)
    mode = VideoMode(width_px=1280, height_px=720, refresh_mhz=60_000)
    host.views = [SessionView(id=1, app="Test pattern", mode=mode, members=(member,))]


def configure(host: Any, text: str) -> None:
    (host.folder / "config.toml").write_text(text)
    host.operations.config.reload()


async def test_who_waits_is_shown_with_a_form_of_its_own(pages: Any) -> None:
    pages.host.waiting = {3: "Deck", 5: "Stranger"}

    text = await pages.read("/devices")

    for number, name in pages.host.waiting.items():
        assert f'data-pairing="{number}"' in text
        assert f'name="id" value="{number}"' in text
        assert f">{name}</bdi>" in text
    assert text.count("192.168.1.9") == 2
    assert 'data-countdown="60"' in text


async def test_the_first_visit_says_how_to_pair_and_where(pages: Any) -> None:
    pages.host.paired.clear()

    text = await pages.read("/devices")

    assert "Pair the first device" in text
    assert "192.168.1.2:2<" in text  # this host's address, and its port since it is not the usual
    assert "No device yet." in text


async def test_the_address_is_one_that_the_host_listens_on(pages: Any) -> None:
    bound = attrs.evolve(pages.host.info(), addresses=("fd00::7",))
    pages.host.info = lambda: bound

    text = await pages.read("/devices")

    assert 'data-copy="[fd00::7]:2"' in text
    assert "192.168.1.2" not in text


async def test_who_has_to_wait_is_told_for_how_long(pages: Any) -> None:
    pages.host.waits = [HeldOff(address="192.168.1.77", client_name="Phone", seconds_left=5)]

    text = await pages.read("/parts/devices-waiting")

    assert "192.168.1.77" in text
    assert 'data-countdown="5"' in text


async def test_every_other_page_has_a_notice_that_leads_to_the_form(pages: Any) -> None:
    pages.host.waiting = {3: "Deck"}

    sessions = await pages.read("/sessions")
    devices = await pages.read("/devices")

    assert "waits for its PIN" in sessions
    assert 'href="./devices"' in sessions
    assert "pin-form" not in sessions
    assert "pairing-notice" not in devices


async def test_a_part_has_the_links_of_the_page_that_it_is_for(pages: Any) -> None:
    for said, expected in (("./", "./"), ("../", "../"), ("../../", "../../")):
        text = await pages.read("/parts/devices-list", **{"X-Page-Root": said})
        assert f'href="{expected}devices/{DECK}"' in text
    for said in ("https://evil.example/", "//evil/", "/", "javascript:", "../" * 9):
        text = await pages.read("/parts/devices-list", **{"X-Page-Root": said})
        assert f'href="../devices/{DECK}"' in text


async def test_a_device_is_listed_with_what_it_plays_and_when_it_was_here(pages: Any) -> None:
    phone = pages.host.paired[PHONE]
    seen = attrs.evolve(phone, last_seen_unix=int(time.time()) - 3 * 86_400)
    pages.host.paired[PHONE] = seen
    play(pages.host, DECK)

    text = await pages.read("/parts/devices-list")

    assert text.index("Deck") < text.index("Phone")  # who plays comes first
    assert "Test pattern" in text
    assert "right now" in text
    assert "3 days ago" in text
    assert f">{DECK[:8]}</code>" in text


@pytest.mark.parametrize(
    ("streaming", "says"), [(True, "plays ⁨Test pattern⁩ right now"), (False, "is ended")]
)
async def test_unpairing_asks_and_names_what_it_ends(
    pages: Any, streaming: bool, says: str
) -> None:
    play(pages.host, DECK, streaming=streaming)

    text = await pages.read("/parts/devices-list")

    assert f'data-api="DELETE api/v1/clients/{DECK}"' in text
    assert says in text
    assert "Unpair ⁨Phone⁩? To come back" in text


async def test_who_may_only_look_gets_no_buttons_and_no_pin(pages: Any) -> None:
    pages.host.waiting = {3: "Deck"}
    pages.host.native.enable()
    pin = pages.host.native.arm().pin
    pages.host.native.knock(fingerprint_of(b"new"), "Tablet", "192.168.1.9")

    text = await pages.read("/devices", scope=Scope.READ)
    one = await pages.read(f"/devices/{DECK}", scope=Scope.READ)

    assert "Deck" in text
    assert "Tablet" in text
    assert pin not in text
    assert "data-api=" not in text.replace('data-api="POST api/v1/pair/pin"', "")
    assert 'name="pin"' not in text
    assert "Rename" not in one
    assert ">Save<" not in one
    controls = await pages.read("/devices", scope=Scope.CONTROL)
    assert pin in controls
    assert 'name="pin"' in controls
    assert "Unpair" not in controls


async def test_without_the_native_protocol_the_page_says_so_and_arms_nothing(pages: Any) -> None:
    text = await pages.read("/devices")

    assert "come with a later version" in text
    assert "native/pair/arm" not in text


async def test_the_native_window_is_armed_shown_and_closed(pages: Any) -> None:
    native = pages.host.native
    native.enable()
    assert 'data-api="POST api/v1/native/pair/arm"' in await pages.read("/devices")

    shown = native.arm(300)
    text = await pages.read("/parts/devices-native")
    assert f">{shown.pin}</p>" in text
    assert 'data-countdown="300"' in text
    assert 'data-api="DELETE api/v1/native/pair"' in text

    native.disarm()
    assert shown.pin not in await pages.read("/parts/devices-native")


async def test_a_native_device_that_knocked_can_be_let_in_or_sent_away(pages: Any) -> None:
    pages.host.native.enable()
    knocked = pages.host.native.knock(fingerprint_of(b"new"), "Tablet", "192.168.1.9")

    text = await pages.read("/devices")

    path = f"api/v1/native/pending/{knocked.id}"
    assert f'data-api="POST {path}/approve"' in text
    assert f'data-api="POST {path}/deny"' in text
    assert 'name="name" maxlength="64" value="Tablet"' in text
    assert knocked.fingerprint[:8] in text


async def test_native_clients_are_in_the_same_list_and_marked(pages: Any) -> None:
    pages.host.native.enable()
    client = pages.host.native.proved(fingerprint_of(b"new"), "Tablet")

    text = await pages.read("/parts/devices-list")

    assert '<span class="tag">Native</span>' in text
    assert f"DELETE api/v1/native/clients/{client.fingerprint}" in text
    assert text.count("<tr ") == 3


async def test_a_device_shows_what_it_gets_and_where_that_comes_from(pages: Any) -> None:
    configure(
        pages.host,
        "[stream]\nmax_fps = 144\n\n"
        f'[[override]]\nclient = "{DECK[:8]}"\nmax_fps = 60\ncodecs = ["hevc", "h264"]\n\n'
        f'[[override]]\napp = "steam:570"\nclient = "{DECK}"\nmax_bitrate_kbps = 20000\n',
    )

    text = " ".join((await pages.read(f"/devices/{DECK}")).split())
    other = " ".join((await pages.read(f"/devices/{PHONE}")).split())

    assert 'name="settings.max_fps" value="60"' in text
    assert 'otherwise 144 fps <span class="own-place">config.toml line 2</span>' in text
    assert "selected>H.265, H.264</option>" in text
    assert "7,680 px" in text
    assert "steam:570" in text
    assert "Highest bit rate: 20,000 kbit/s" in text
    assert 'name="settings.max_fps" value=""' in other
    assert "otherwise" not in other
    assert "steam:570" not in other
    assert "2 settings of its own" in await pages.read("/devices")


async def test_every_setting_that_a_client_can_have_of_its_own_is_in_the_form(pages: Any) -> None:
    text = await pages.read(f"/devices/{DECK}")

    assert [name for name in NAMES if f'name="settings.{name}"' not in text] == []


@pytest.mark.parametrize(
    "path",
    [f"/devices/{'0' * 64}", "/devices/nobody", "/parts/devices-now/nobody", "/devices/%2e"],
)
async def test_a_device_that_is_not_paired_has_no_page(pages: Any, path: str) -> None:
    assert (await pages.ask(path)).status_code == 404


async def test_the_open_page_of_a_device_says_that_somebody_has_unpaired_it(pages: Any) -> None:
    now = await pages.read(f"/parts/devices-now/{'0' * 64}")
    own = await pages.read(f"/parts/devices-own/{'0' * 64}")

    assert "This device is not paired any more" in now
    assert "data-open" not in now
    assert "data-api" not in now + own
    for part in (now, own):  # it may be paired again
        assert "pf-client from:body" in part


async def test_hostile_names_are_inert(pages: Any, paired: Any, hostile: tuple[str, ...]) -> None:
    host = pages.host
    for number, name in enumerate(hostile):
        client = attrs.evolve(paired(f"hostile {number}"), name=name)
        host.paired[client.fingerprint] = client
        host.waiting[number] = name
        host.waits.append(HeldOff(address="192.168.1.7", client_name=name, seconds_left=5))
    play(host, client.fingerprint)
    texts = [
        await pages.read(path)
        for path in ("/devices", f"/devices/{client.fingerprint}", "/sessions", "/logs")
    ]

    for text in texts:
        assert "<img src=x" not in text
        for line in text.splitlines():
            start = line.find("\u202e")
            while start >= 0:  # always inside something that keeps it from turning the rest
                before = line[:start]
                kept = before.rfind("<bdi") > before.rfind("</bdi") or "\u2068" in before[-80:]
                assert kept or 'value="' in before[-80:], line[:200]
                start = line.find("\u202e", start + 1)


async def test_the_pages_speak_german(pages: Any) -> None:
    pages.host.waiting = {3: "Deck"}

    text = await pages.read("/devices", language="de")

    assert "Ein Gerät möchte gekoppelt werden" in text
    assert "Entkoppeln" in text


@pytest.mark.parametrize("path", ["/devices", f"/devices/{DECK}", "/parts/devices-waiting"])
async def test_nobody_sees_it_without_a_login(pages: Any, path: str) -> None:
    pages.host.waiting = {3: "Secret tablet"}

    answer = await pages.ask(path, scope=None)
    part = await pages.ask(path, scope=None, **{"HX-Request": "true"})

    assert (answer.status_code, part.status_code) == (303, 401)
    for it in (answer, part):
        assert "Secret tablet" not in await it.get_data(as_text=True)
