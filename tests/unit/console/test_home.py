"""What Home says at one glance: who streams, who waits, what is missing, how to begin."""

import time
from typing import Any

import attrs
import pytest

from punktfunk.console import create_console
from punktfunk.console.hints import command_of
from punktfunk.console.pages.home_checks import parts_of
from punktfunk.mgmt.app import create_app
from punktfunk.mgmt.operations_values import Examined
from punktfunk.mgmt.requests import EXTENSION
from punktfunk.mgmt.values import MemberView, SessionView
from punktfunk.model.access import Scope
from punktfunk.model.offers import Kind
from punktfunk.model.video import VideoMode

MODE = VideoMode(width_px=1280, height_px=720, refresh_mhz=60_000)


def session(*names: str, app: str = "Solitaire", streaming: bool = True) -> SessionView:
    members = tuple(
        MemberView(client=f"{number:064x}", client_name=name, streaming=streaming)
        for number, name in enumerate(names)
    )
    return SessionView(id=3, app=app, mode=MODE, members=members, started_unix=int(time.time()))


def offer(kind: Kind, driver: str, *, rank: int = 50, lacks: str = "", hint: str = "") -> Any:
    availability = {"available": not lacks, "reason": lacks, "hint": hint}
    return {
        "kind": kind.value,
        "driver": driver,
        "title": f"The {driver}",
        "rank": rank,
        "attaches": False,
        "availability": availability,
    }


def report(offers: list[Any], *, checks: tuple[Any, ...] = (), can_stream: bool = True) -> Any:
    choices = []
    for kind in dict.fromkeys(it["kind"] for it in offers):
        of_kind = [it for it in offers if it["kind"] == kind]
        fits = [it for it in of_kind if it["availability"]["available"]]
        passed = [
            {"driver": it["driver"], "attaches": False} for it in of_kind if it not in fits[:1]
        ]
        picked = fits[0]["driver"] if fits else None
        choices.append({"kind": kind, "picked": picked, "passed_over": passed})
    return {
        "can_stream": can_stream,
        "apps": [{"name": "Desktop", "ok": can_stream, "remark": "as it is", "hint": ""}],
        "checks": list(checks),
        "choices": choices,
        "probe": {"plugins": [{"offers": offers}]},
    }


async def test_a_first_visit_shows_the_way_to_the_first_picture(pages: Any) -> None:
    pages.host.paired.clear()

    page = await pages.read("/")

    steps = ("Install Moonlight", "Add this host", "Enter its PIN")
    assert sorted(steps, key=page.index) == list(steps)
    assert "192.168.1.2:2" in page


async def test_with_a_paired_device_the_host_is_ready(pages: Any) -> None:
    page = await pages.read("/")

    assert "Ready</h1>" in page
    assert "2 paired devices may" in page
    assert "Install Moonlight" not in page


async def test_the_heading_names_the_only_one_who_streams_and_counts_several(pages: Any) -> None:
    pages.host.views = [session("Deck")]
    assert "\u2068Deck\u2069 is streaming</h1>" in await pages.read("/")

    pages.host.views = [session("Deck", "Phone")]
    page = await pages.read("/")
    assert "2 devices are streaming</h1>" in page
    assert "DELETE api/v1/session?id=3" in page

    pages.host.views = [session("Deck", streaming=False)]
    assert "An app waits for its device</h1>" in await pages.read("/")


async def test_figures_are_fetched_only_while_something_runs(pages: Any) -> None:
    assert "every 2s" not in await pages.read("/parts/home-now")

    pages.host.views = [session("Deck")]
    assert "every 2s" in await pages.read("/parts/home-now")


async def test_a_device_that_waits_gets_its_form_here(pages: Any) -> None:
    pages.host.waiting = {4: "Tablet"}

    page = await pages.read("/")

    assert "1 device waits for its PIN" in page
    assert 'data-api="POST api/v1/pair/pin"' in page
    assert "Tablet" in page


async def test_who_may_only_look_can_stop_nothing(pages: Any) -> None:
    pages.host.views = [session("Deck")]

    assert "data-api" not in await pages.read("/parts/home-now", scope=Scope.READ)


async def test_what_happened_is_told_newest_first_with_names_and_reasons(pages: Any) -> None:
    publish = pages.host.events.publish
    client = next(iter(pages.host.paired))
    about = {
        "session_id": 1,
        "app": "a:b",
        "title": "Chess",
        "client": client,
        "client_name": "Deck",
    }
    publish("host.started", name="box", version="1")
    publish("session.started", **about)
    publish("stream.ended", session_id=1, stream_id=1, client=client, reason="client_vanished")
    publish("session.ended", **about, reason="the worker was killed")

    page = await pages.read("/parts/home-happenings")

    told = (
        '<bdi>Chess</bdi> ended: <span lang="en">the worker was killed</span>',
        "The stream of <bdi>Deck</bdi> ended: does not answer any more",
        "<bdi>Deck</bdi> started <bdi>Chess</bdi>",
        "The host started",
    )
    assert sorted(told, key=page.index) == list(told)


async def test_only_the_last_happenings_are_told(pages: Any) -> None:
    for number in range(50):
        pages.host.events.publish("client.paired", client="", name=f"Device {number}.")

    page = await pages.read("/parts/home-happenings")

    assert "Device 49." in page
    assert "Device 37." not in page


async def test_hostile_names_are_text(pages: Any, hostile: tuple[str, ...]) -> None:
    for name in hostile:
        pages.host.views = [session(name, app=name)]
        pages.host.waiting = {1: name}
        pages.host.events.publish("client.paired", client="aa", name=name)
        page = await pages.read("/")
        assert "<img src=x" not in page
        assert "<bdi>" in page


async def test_the_machine_is_examined_once_and_then_remembered(pages: Any) -> None:
    assert pages.host.operations.examined is None

    first = await pages.read("/parts/home-checks")
    examined = pages.host.operations.examined
    again = await pages.read("/parts/home-checks")

    assert "This machine cannot stream yet" in first
    assert "Mouse and keyboard" in first
    assert pages.host.operations.examined is examined
    assert "Look again" in again


async def test_it_is_not_examined_by_itself_while_somebody_streams(pages: Any) -> None:
    pages.host.views = [session("Deck")]

    page = await pages.read("/parts/home-checks")

    assert pages.host.operations.examined is None
    assert "Not while somebody streams" in page
    assert 'data-api="GET api/v1/doctor"' in page


async def test_who_may_only_look_has_nothing_examined_but_sees_what_was_found(pages: Any) -> None:
    page = await pages.read("/parts/home-checks", scope=Scope.CONTROL)
    assert pages.host.operations.examined is None
    assert "data-api" not in page

    found = report([offer(Kind.ENCODE, "nvenc")])
    pages.host.operations.examined = Examined(unix_s=time.time(), report=found)
    page = await pages.read("/parts/home-checks", scope=Scope.READ)
    assert "Everything is there" in page
    assert "The nvenc" in page


async def test_what_is_found_is_shown_with_the_command_that_mends_it(pages: Any) -> None:
    found = report(
        [offer(Kind.COMPOSITOR, "wlroots", lacks="sway is not installed", hint="apt install sway")],
        can_stream=False,
    )
    pages.host.operations.examined = Examined(unix_s=time.time(), report=found)

    page = await pages.read("/parts/home-checks")

    assert "This machine cannot stream yet" in page
    assert "sway is not installed" in page
    assert 'data-copy="apt install sway"' in page


def test_two_plugins_may_offer_a_driver_of_one_name() -> None:
    both = [offer(Kind.ENCODE, "x264", rank=rank) for rank in (10, 20)]
    both[0]["title"], both[1]["title"] = "worse", "better"

    found = parts_of(report(both))

    assert ("Encoder", "ok", "better") in [(it.name, it.state, it.remark) for it in found]


def test_what_is_missing_comes_first_and_gamepads_may_be() -> None:
    found = parts_of(
        report(
            [
                offer(Kind.ENCODE, "software", rank=10),
                offer(Kind.GAMEPAD, "uinput", lacks="there is no /dev/uinput"),
                offer(Kind.CAPTURE, "kms", rank=20, lacks="no card"),
                offer(Kind.CAPTURE, "portal", rank=90, lacks="nobody is logged in"),
            ],
            checks=({"name": "fonts", "ok": True, "remark": "none", "hint": "install some"},),
        )
    )

    assert [(it.name or it.own_name, it.state) for it in found] == [
        ("Picture", "bad"),
        ("Gamepads", "warn"),
        ("fonts", "warn"),
        ("Start Desktop", "ok"),
        ("Encoder", "ok"),
    ]
    assert found[0].remark == "nobody is logged in"
    assert "processor time" in found[4].note


@pytest.mark.parametrize(
    ("hint", "command"),
    [
        ("apt install sway", "apt install sway"),
        ("apt install xvfb openbox", "apt install xvfb openbox"),
        ("run `sudo modprobe uinput`, and then `x y`", "sudo modprobe uinput"),
        ("add yourself to the group `render`, or use another", ""),
        ("install Steam, and log in once", ""),
        ("install Steam", ""),
        ("install gamescope 3.15 or newer; Debian's is too old", ""),
        ("install some, such as the package fonts-dejavu-core", ""),
        ("log in to GNOME (Wayland)", ""),
        ("", ""),
    ],
)
def test_a_command_in_a_hint_is_found(hint: str, command: str) -> None:
    assert command_of(hint) == command


async def test_addresses_are_as_moonlight_wants_them(pages: Any) -> None:
    info = pages.host.info()
    ports = attrs.evolve(info.ports, http=47_989)
    usual = attrs.evolve(info, ports=ports, addresses=("192.168.1.2", "2001:db8::1"))
    pages.host.info = lambda: usual
    assert 'data-copy="192.168.1.2"' in await pages.read("/")

    other = attrs.evolve(usual, ports=attrs.evolve(ports, http=4_000))
    pages.host.info = lambda: other
    page = await pages.read("/")
    assert 'data-copy="192.168.1.2:4000"' in page
    assert 'data-copy="[2001:db8::1]:4000"' in page


async def test_behind_a_proxy_the_console_is_where_the_proxy_shows_it(pages: Any) -> None:
    api = create_app(
        pages.host, "x" * 64, public_url="https://home.example/punktfunk", pages=create_console
    )
    proxied = attrs.evolve(pages, api=api, backing=api.extensions[EXTENSION])

    there = await proxied.read("/parts/home-here", Host="home.example")
    here = await proxied.read("/parts/home-here")

    assert 'data-copy="https://home.example/punktfunk/"' in there
    assert 'data-copy="http://127.0.0.1:47990/"' in here


async def test_nobody_sees_it_without_a_login(pages: Any) -> None:
    assert (await pages.ask("/", scope=None)).status_code == 303
    for part in ("now", "here", "happenings", "checks"):
        answer = await pages.ask(f"/parts/home-{part}", scope=None, **{"HX-Request": "true"})
        assert answer.status_code == 401
