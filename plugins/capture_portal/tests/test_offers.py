from pathlib import Path

import attrs
import punktfunk_capture_portal as plugin
import pytest
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection
from punktfunk_capture_portal import probe
from punktfunk_capture_portal.portal import NAME, Abilities
from punktfunk_capture_portal.probe import Found, judge, look
from punktfunk_capture_portal.settings import PortalSettings

from punktfunk.plugin import Availability, Bus, HostFacts, Kind

WISHES = PortalSettings.read({})
VIEW_ONLY = PortalSettings.read({"view_only": True})
GNOME = Abilities(screencast=5, sources=7, cursors=7, remote_desktop=2, devices=7)
WLR = Abilities(screencast=4, sources=1, cursors=3)


@pytest.fixture(autouse=True)
def _pipewire(monkeypatch) -> None:
    monkeypatch.setattr(probe, "pipewire_availability", Availability.yes)


def test_a_host_without_a_bus_gets_a_reason_and_a_hint() -> None:
    found = look({}, WISHES).availability

    assert "no session bus" in found.reason
    assert "log in" in found.hint


@pytest.mark.desktop
def test_a_desktop_without_a_portal_gets_a_reason_and_a_hint(make_user) -> None:
    found = look(make_user().environment, WISHES).availability

    assert found.reason == "xdg-desktop-portal is not installed"
    assert "install xdg-desktop-portal" in found.hint


@pytest.mark.desktop
def test_no_portal_is_started_where_no_desktop_runs(make_fake) -> None:
    user, _ = make_fake(started=False)
    environment = {k: v for k, v in user.environment.items() if k != "WAYLAND_DISPLAY"}

    found = look(environment, WISHES).availability

    assert found.reason == "no desktop runs for this user"
    bus = Bus.session(environment)
    assert not bus.owned(NAME)
    bus.close()


@pytest.mark.desktop
def test_a_portal_that_sleeps_is_woken_and_nobody_is_asked(make_fake) -> None:
    user, backend = make_fake(started=False)

    found = look(user.environment, WISHES)

    assert found.availability.available
    assert found.abilities.devices == 7
    assert backend.calls == []


@pytest.mark.desktop
def test_a_portal_that_does_not_answer_is_a_reason(make_user) -> None:
    user = make_user()
    silent = open_dbus_connection(user.environment["DBUS_SESSION_BUS_ADDRESS"])
    silent.send_and_get_reply(message_bus.RequestName(NAME), timeout=30)

    found = look(user.environment, WISHES).availability

    assert "xdg-desktop-portal does not answer" in found.reason
    silent.close()


@pytest.mark.desktop
def test_a_desktop_whose_backend_has_no_screencast_is_a_reason(make_fake) -> None:
    user, _ = make_fake("org.freedesktop.impl.portal.Screenshot;")

    found = look(user.environment, WISHES).availability

    assert found.reason == "this desktop's portal has no ScreenCast"
    assert "install your desktop's backend" in found.hint


@pytest.mark.parametrize(
    ("abilities", "wishes", "words"),
    [
        (GNOME, WISHES, "a screen of the client's own; somebody at the host is asked once"),
        (attrs.evolve(GNOME, sources=3), WISHES, "an existing screen; somebody"),
        (attrs.evolve(GNOME, remote_desktop=1), WISHES, "is asked each time"),
        (GNOME, VIEW_ONLY, "the picture alone, as view_only says"),
        (WLR, VIEW_ONLY, "is asked once"),
        (attrs.evolve(WLR, screencast=3), VIEW_ONLY, "is asked each time"),
    ],
)
def test_an_offer_says_what_it_will_be_like(abilities, wishes, words) -> None:
    found = judge(abilities, wishes).availability

    assert found.available
    assert words in found.reason


def test_a_desktop_that_takes_no_input_is_refused_with_the_way_out() -> None:
    found = judge(WLR, WISHES).availability

    assert found.reason == "this desktop's portal shares the picture and takes no input"
    assert "view_only = true" in found.hint


@pytest.mark.parametrize(
    ("abilities", "wishes", "features"),
    [
        (GNOME, WISHES, {"keyboard", "pointer", "text", "touch"}),
        (attrs.evolve(GNOME, devices=2), WISHES, {"pointer"}),
        (GNOME, VIEW_ONLY, set()),
    ],
)
def test_features_are_what_the_desktop_takes(abilities, wishes, features) -> None:
    assert judge(abilities, wishes).features == features


@pytest.mark.desktop
def test_all_three_kinds_say_the_same(make_fake) -> None:
    user, _ = make_fake()
    host = HostFacts(environment=user.environment)

    offers = [
        *plugin.compositor_offers(host=host),
        *plugin.capture_offers(host=host),
        *plugin.input_offers(host=host),
    ]

    assert [offer.kind for offer in offers] == [Kind.COMPOSITOR, Kind.CAPTURE, Kind.INPUT]
    assert {offer.availability for offer in offers} == {
        Availability.yes("an existing screen; somebody at the host is asked each time")
    }
    assert [offer.attaches for offer in offers] == [True, False, False]
    assert {offer.compositors for offer in offers[1:]} == {frozenset({"portal"})}
    assert all(offer.rank < 5 for offer in offers)


@pytest.mark.parametrize(("wish", "means"), [(20, 20), (0, 1), (600, 25), (-3, 1)])
def test_nobody_is_waited_for_longer_than_a_launch_may_take(wish: int, means: int) -> None:
    assert PortalSettings.read({"answer_s": wish}).answer_s == means


def test_no_pipewire_is_a_reason(monkeypatch) -> None:
    no = Availability.no("libpipewire is not installed", hint="install it")
    monkeypatch.setattr(probe, "pipewire_availability", lambda: no)

    assert look({}, WISHES) == Found(no)


def test_every_setting_has_a_meaning_and_a_default_of_its_type() -> None:
    for setting in plugin.manifest.settings:
        assert setting.doc
        assert isinstance(setting.default, setting.type)


def test_the_readme_shows_every_setting() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()

    for setting in plugin.manifest.settings:
        assert f"\n{setting.name} = " in readme
