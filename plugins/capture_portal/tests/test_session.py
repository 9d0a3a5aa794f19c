"""The real xdg-desktop-portal, and behind it answers of the test's own."""

import os
import signal
import socket
import threading

import pytest
from punktfunk_capture_portal.compositor import PortalCompositor
from punktfunk_capture_portal.portal import Declined, Unanswered
from punktfunk_capture_portal.session import session_of

from punktfunk.plugin import DisplayWithdrawn, DriverFailed, DriverUnavailable, VideoMode

pytestmark = pytest.mark.desktop

VIEW_ONLY = {"view_only": True}
SCREENCAST = "org.freedesktop.impl.portal.ScreenCast;"
OWN = [(42, {"source_type": ("u", 4)})]
MODE = VideoMode(width_px=640, height_px=360, refresh_mhz=60_000)


def test_the_display_has_the_size_of_the_screen_that_is_shared(make_fake, guest) -> None:
    make_fake()

    display, compositor = guest.attach()

    assert (display.compositor, display.mode.width_px, display.mode.height_px) == (
        "portal",
        1600,
        900,
    )
    assert display.environment["WAYLAND_DISPLAY"] == "wayland-1"
    compositor.check()
    assert compositor.resize(MODE).mode == MODE


def test_everything_is_asked_for_at_once(make_fake, guest) -> None:
    _, backend = make_fake()

    guest.attach()

    assert backend.options("SelectDevices")["types"] == 7
    sources = backend.options("SelectSources")
    assert (sources["types"], sources["multiple"], sources["cursor_mode"]) == (1, False, 2)


def test_only_what_the_desktop_has_is_asked_for(make_fake, guest) -> None:
    _, backend = make_fake(available_devices=3, cursors=5)

    guest.attach()

    assert backend.options("SelectDevices")["types"] == 3
    assert backend.options("SelectSources")["cursor_mode"] == 4


def test_a_screen_of_the_clients_own_is_preferred(make_fake, guest) -> None:
    _, backend = make_fake(sources=5, streams=OWN)

    display, compositor = guest.attach()

    assert backend.options("SelectSources")["types"] == 4
    assert display.mode == MODE
    larger = VideoMode(width_px=1920, height_px=1080, refresh_mhz=60_000)
    compositor.resize(larger)
    assert session_of(display).point(0.5, 1.0) == (960, 1079)


def test_a_screen_of_the_clients_own_can_be_switched_off(make_fake, guest) -> None:
    _, backend = make_fake(sources=5)

    guest.attach(own_screen=False)

    assert backend.options("SelectSources")["types"] == 1


def test_nobody_answers(make_fake, guest) -> None:
    _, backend = make_fake(response=None)

    with pytest.raises(Unanswered, match="nobody answered the desktop's question within 1 s") as no:
        guest.attach(answer_s=1)

    assert isinstance(no.value, DriverUnavailable)
    assert (no.value.code, no.value.driver) == ("portal_needs_user", "portal")
    assert "dialogue on the host's screen" in no.value.hint
    backend.arguments("Close")


def test_somebody_declines(make_fake, guest) -> None:
    make_fake(response=1)

    with pytest.raises(Declined, match="somebody at the host declined"):
        guest.attach()

    assert not isinstance(Declined(), DriverUnavailable)


def test_a_desktop_that_fails_is_named(make_fake, guest) -> None:
    make_fake(response=2)

    with pytest.raises(DriverUnavailable, match="failed at Start"):
        guest.attach()


def test_a_desktop_that_shares_nothing_is_refused(make_fake, guest) -> None:
    make_fake(streams=[])

    with pytest.raises(DriverUnavailable, match="shares no screen"):
        guest.attach()


def test_a_portal_that_ends_while_somebody_should_answer_is_noticed(make_fake, guest) -> None:
    user, backend = make_fake(response=None)

    def kill() -> None:
        backend.arguments("Start")
        os.kill(user.process("portal").pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(DriverUnavailable, match=r"ended|disconnected"):
        guest.attach(answer_s=25)
    killer.join()


def test_an_answer_holds_for_the_next_time(make_fake, guest) -> None:
    _, backend = make_fake(SCREENCAST)

    guest.attach(**VIEW_ONLY)
    first = dict(guest.seat.memory["portal"])
    assert "restore_data" not in backend.options("SelectSources")
    guest.leave()
    guest.attach(**VIEW_ONLY)
    second = dict(guest.seat.memory["portal"])

    assert backend.options("SelectSources")["persist_mode"] == 2
    assert backend.options("SelectSources")["restore_data"] == (
        "FAKE",
        1,
        ("s", "the screen that was chosen"),
    )
    assert list(first) == list(second) == ["fake, picture"]
    assert first["fake, picture"]
    assert second["fake, picture"]


@pytest.mark.parametrize("response", [1, 2, None])
def test_what_was_granted_is_forgotten_when_it_is_refused(make_fake, guest, response) -> None:
    _, backend = make_fake(SCREENCAST)
    guest.attach(**VIEW_ONLY)
    guest.leave()
    guest.seat.memory["portal"]["another desktop"] = "kept"

    backend.response = response
    with pytest.raises((DriverFailed, DriverUnavailable)):
        guest.attach(**VIEW_ONLY, answer_s=1)

    assert guest.seat.memory["portal"] == {"another desktop": "kept"}


@pytest.mark.parametrize("token", ["made-up", "3a4f2f0e-3f5e-4a26-9c5b-5d2b8f0c1d11"])
def test_a_token_that_nobody_knows_leads_to_the_question_again(make_fake, guest, token) -> None:
    _, backend = make_fake(SCREENCAST)
    guest.seat.memory["portal"] = {"fake, picture": token}

    guest.attach(**VIEW_ONLY)

    assert "restore_data" not in backend.options("SelectSources")
    assert guest.seat.memory["portal"]["fake, picture"] != token


def test_a_portal_that_cannot_remember_is_not_asked_to(make_fake, guest) -> None:
    _, backend = make_fake()

    guest.attach()

    assert "persist_mode" not in backend.options("SelectSources")
    assert "portal" not in guest.seat.memory or not guest.seat.memory["portal"]


def test_a_token_is_in_no_log_and_no_repr(make_fake, guest, caplog) -> None:
    make_fake(SCREENCAST)
    caplog.set_level("DEBUG")

    display, _ = guest.attach(**VIEW_ONLY)

    token = guest.seat.memory["portal"]["fake, picture"]
    assert token not in caplog.text + repr(display) + repr(session_of(display).shared)


def test_memory_that_cannot_be_used_costs_only_the_question(
    make_fake, guest, monkeypatch, caplog
) -> None:
    make_fake(SCREENCAST)

    def refuse(*_: object) -> None:
        raise DriverFailed("portal.json cannot be used")

    monkeypatch.setattr(guest.seat, "recall", refuse)
    monkeypatch.setattr(guest.seat, "remember", refuse)

    guest.attach(**VIEW_ONLY)

    assert "the desktop will ask again: portal.json cannot be used" in caplog.text


def how_it_ended(compositor, wait) -> DriverFailed:
    found: list[DriverFailed] = []

    def has_ended() -> bool:
        try:
            compositor.check()
        except DriverFailed as error:
            found.append(error)
        return bool(found)

    wait(has_ended, "the end of the sharing")
    return found[0]


def test_what_the_user_ended_is_withdrawn_and_needs_another_answer(make_fake, guest, wait) -> None:
    _, backend = make_fake(SCREENCAST)
    _, compositor = guest.attach(**VIEW_ONLY)
    compositor.check()
    guest.seat.memory["portal"]["another desktop"] = "kept"

    backend.end_sharing()

    assert "ended the sharing" in str(how_it_ended(compositor, wait))
    with pytest.raises(DisplayWithdrawn):  # it is asked a second time by what failed with it
        compositor.check()
    assert guest.seat.memory["portal"] == {"another desktop": "kept"}


def test_a_desktop_that_ends_withdraws_nothing(make_fake, guest, wait) -> None:
    user, backend = make_fake(SCREENCAST)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as desktop:
        desktop.bind(str(user.seat.runtime_dir / "wayland-1"))
        desktop.listen()
        _, compositor = guest.attach(**VIEW_ONLY)

    backend.end_sharing()

    error = how_it_ended(compositor, wait)
    assert not isinstance(error, DisplayWithdrawn)
    assert "the desktop that was shared has ended" in str(error)
    assert guest.seat.memory["portal"]["fake, picture"]


def test_the_end_of_a_session_ends_the_sharing(make_fake, guest) -> None:
    _, backend = make_fake()
    display, _ = guest.attach()

    guest.leave()

    backend.arguments("Close")
    with pytest.raises(DriverUnavailable, match="shares no screen"):
        session_of(display)


def test_two_sessions_share_side_by_side(make_fake, guest) -> None:
    make_fake()
    first, compositor = guest.attach()

    second, other = guest.attach()

    assert first.output != second.output
    other.close()
    compositor.check()


def test_a_portal_that_is_killed_is_noticed_and_named(make_fake, guest, wait) -> None:
    user, _ = make_fake()
    display, compositor = guest.attach()
    portal = user.process("portal")
    session = session_of(display)

    os.kill(portal.pid, signal.SIGKILL)
    wait(lambda: portal.exit_status() is not None, "it to end")

    with pytest.raises(DriverFailed, match="the desktop's portal is gone"):
        compositor.check()
    with pytest.raises(DriverFailed, match="the desktop's portal is gone"):
        session.open_pictures()


def test_a_display_of_its_own_is_refused(guest) -> None:
    compositor = PortalCompositor()

    with pytest.raises(DriverUnavailable, match="already runs") as caught:
        compositor.open(guest.seat, MODE)

    assert "attach" in caught.value.hint
