"""Finding the desktop that runs, and saying why there is none."""

import os
import socket
import time

import punktfunk_capture_wlroots as plugin
import pytest
from punktfunk_capture_wlroots.compositor import WlrootsCompositor
from punktfunk_capture_wlroots.desktops import running_desktop
from punktfunk_capture_wlroots.ledger import undo_output

from punktfunk.plugin import DriverUnavailable, Effect, HostFacts, VideoMode

MODE = VideoMode(width_px=640, height_px=360, refresh_mhz=60_000)


def test_where_no_desktop_runs_attaching_is_refused_with_a_hint(
    seat, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)

    with pytest.raises(DriverUnavailable, match="no wlroots desktop runs") as error:
        WlrootsCompositor().attach(seat, MODE)

    assert "log in" in error.value.hint
    assert seat.recorded == []


@pytest.mark.parametrize("environment", [{}, {"XDG_RUNTIME_DIR": "/nowhere"}])
def test_the_offer_of_attaching_says_why_not(environment) -> None:
    facts = HostFacts(environment={"PATH": os.environ["PATH"], **environment})

    _, offer = plugin.compositor_offers(host=facts)

    assert offer.attaches
    assert not offer.availability.available
    assert "no wlroots desktop" in offer.availability.reason
    assert offer.availability.hint


def test_a_socket_that_nobody_listens_on_is_passed_over(tmp_path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "wayland-1"))

    with pytest.raises(DriverUnavailable, match="no wlroots desktop"):
        running_desktop({"XDG_RUNTIME_DIR": str(tmp_path), "WAYLAND_DISPLAY": "wayland-1"})


def test_a_compositor_that_hangs_costs_little_time(tmp_path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "wayland-1"))
        silent.listen()
        began = time.monotonic()

        with pytest.raises(DriverUnavailable, match="no wlroots desktop"):
            running_desktop({"XDG_RUNTIME_DIR": str(tmp_path)})

        assert time.monotonic() - began < 10


@pytest.mark.desktop
def test_a_desktop_is_found_by_name_by_path_and_without_either(make_desk, seat) -> None:
    desk = make_desk()
    name = desk.display.environment["WAYLAND_DISPLAY"]
    folder = {"XDG_RUNTIME_DIR": str(seat.runtime_dir)}

    named = running_desktop({**folder, "WAYLAND_DISPLAY": name})
    by_path = running_desktop(
        {"XDG_RUNTIME_DIR": "/tmp", "WAYLAND_DISPLAY": str(seat.runtime_dir / name)}
    )
    stale = running_desktop({**folder, "WAYLAND_DISPLAY": "wayland-99"})

    assert named.pid == by_path.pid == stale.pid == running_desktop(folder).pid
    assert named.name == "sway"


@pytest.mark.desktop
def test_an_unprivileged_user_can_attach(programs, run_unprivileged) -> None:
    programs("sway")

    answer = run_unprivileged(
        """
        mode = VideoMode(width_px=320, height_px=200, refresh_mhz=60_000)
        with FakeSeat("seat-user") as user, FakeSeat() as seat:
            theirs, ours, capture = WlrootsCompositor(), WlrootsCompositor(), WlrootsCapture()
            try:
                theirs.open(user, mode)
                os.environ["XDG_RUNTIME_DIR"] = str(user.runtime_dir)
                display = ours.attach(seat, mode)
                capture.open(seat, display, mode)
                print(capture.read(2.0).planes[0].shape)
            finally:
                capture.close()
                ours.close()
                theirs.close()
        """
    )

    assert answer.strip() == "(200, 1280)"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"language": "sway", "control": "/nowhere/sway.sock", "pid": 1, "output": "HEADLESS-2"},
        {"language": "other", "control": 7, "pid": "x"},
    ],
)
def test_a_damaged_effect_or_one_of_a_desktop_that_ended_is_gone(data) -> None:
    assert undo_output(Effect(kind="wlroots.output", data=data))


def test_an_effect_of_another_kind_is_not_ours() -> None:
    assert not plugin.effect_undo(effect=Effect(kind="wlroots.other", data={}), host=HostFacts())
