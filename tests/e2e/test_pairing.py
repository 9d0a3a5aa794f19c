"""Who gets in: pairing with a real client, and everybody else shut out."""

import pytest
from harness import ClientError
from host_process import HostProcess, eventually
from proof import Player

pytestmark = [pytest.mark.e2e, pytest.mark.unhurried]

HTTPS_ROUTES = (
    "serverinfo",
    "applist",
    "appasset?appid=1",
    "launch?appid=1&mode=1280x720x60&rikey=00&rikeyid=1",
    "resume?rikey=00&rikeyid=1",
    "cancel",
    "unpair",
    "nothing-here",
)


def test_a_client_pairs_with_the_right_pin_also_after_a_wrong_one(
    host: HostProcess, player: Player
) -> None:
    client = player(host, "carol", pair=False)
    wrong = client.begin_pair("1111")
    host.enter_pin("2222")
    with pytest.raises(ClientError) as refused:
        wrong.result(30)
    assert refused.value.kind == "WrongPinError"
    assert client.serverinfo()["paired"] is False

    right = client.begin_pair("3333")
    host.enter_pin("3333")
    assert right.result(30)["pin_matches"] is True
    seen = client.serverinfo("https")
    assert seen["paired"] is True
    assert seen["pin_matches"] is True
    assert seen["state"].endswith("_SERVER_FREE")


def test_the_status_names_the_device_that_waits(host: HostProcess, player: Player) -> None:
    client = player(host, "mallory", pair=False)
    waiting = client.begin_pair("1111")
    eventually(lambda: host.api("GET", "/pair")[1]["pin_pending"], 10, "a device asks")
    _, body = host.api("GET", "/pair")
    assert [device["address"] for device in body["pending"]] == ["127.0.0.1"]
    assert host.api("POST", "/pair/pin", {"pin": "9999", "id": body["pending"][0]["id"]})[0] == 204
    with pytest.raises(ClientError):
        waiting.result(30)
    assert host.api("POST", "/pair/pin", {"pin": "9999"})[0] == 409


def test_a_certificate_with_the_same_subject_and_serial_does_not_get_in(
    host: HostProcess, player: Player
) -> None:
    paired, other = player(host, "alice"), player(host, "bob", pair=False)
    assert paired.serverinfo("https")["paired"] is True
    for route in HTTPS_ROUTES:
        path, _, query = route.partition("?")
        answer = other.get(path, "https", query)
        assert answer["status_code"] == 401, route
        assert answer["http_status"] == 200, route
    assert [app["name"] for app in paired.applist()][-1] == "Test pattern"


def test_plain_http_serves_no_route_of_the_paired(host: HostProcess, player: Player) -> None:
    client = player(host)
    for route in ("applist", "appasset", "launch", "resume", "cancel"):
        assert client.get(route, "http")["status_code"] == 401, route


def test_the_app_list_has_both_built_in_apps_and_pictures_for_them(
    host: HostProcess, player: Player
) -> None:
    client = player(host)
    apps = client.applist()
    assert [app["name"] for app in apps] == ["Desktop", "Test pattern"]
    for app in apps:
        picture = client.get("appasset", "https", f"appid={app['id']}&AssetType=2&AssetIdx=0")
        assert picture["magic"].startswith("89504e47")


def test_unpairing_by_the_api_ends_the_stream_within_a_second_and_shuts_the_client_out(
    host: HostProcess, player: Player
) -> None:
    client = player(host, "carol")
    client.launch("Test pattern", width=640, height=360, fps=30)
    client.start(bitrate_kbps=2_000)
    client.wait_frames(30)
    fingerprint = host.status()["sessions"][0]["client"]
    assert host.api("DELETE", f"/clients/{fingerprint}")[0] == 204
    host.paired = {identity for identity in host.paired if identity.name != "carol"}
    client.wait_event("terminated", timeout_s=1)
    assert client.get("applist")["status_code"] == 401
    eventually(lambda: host.status()["sessions"] == [], 3, "the session is gone")


def test_a_stream_beside_them_is_not_disturbed_by_strangers(
    host: HostProcess, player: Player
) -> None:
    client, stranger = player(host, "alice"), player(host, "bob", pair=False)
    client.launch("Test pattern", width=640, height=360, fps=30)
    client.start(bitrate_kbps=2_000)
    client.wait_frames(30)
    for route in HTTPS_ROUTES:
        path, _, query = route.partition("?")
        assert stranger.get(path, "https", query)["status_code"] == 401, route
    client.wait_frames(90)
    seen = client.stats(drain_s=1)["video"]
    assert seen["frames_missing_on_wire"] == 0
    assert seen["frames_undecodable"] == 0
