from typing import Any

import attrs
import pytest

from punktfunk import __version__
from punktfunk.errors import DriverUnavailable, PunktfunkError
from punktfunk.mgmt.values import MemberView, SessionView
from punktfunk.model.audio import OpusParams
from punktfunk.model.session import StreamSample
from punktfunk.model.stream import StreamRequest
from punktfunk.model.video import Codec, ColorSpec, VideoMode
from punktfunk.trust.held_off import HeldOff


async def error_of(answer: Any) -> str:
    return (await answer.get_json())["error"]


async def test_health_is_told_to_everybody(api: Any) -> None:
    answer = await api.ask("GET", "/api/v1/health", token=None)

    assert await answer.get_json() == {"status": "ok", "version": __version__, "abi_version": 1}


async def test_the_host_says_who_it_is(api: Any) -> None:
    plain = await (await api.ask("GET", "/api/v1/host")).get_json()

    assert plain["uniqueid"].endswith("1")
    assert plain["codecs"] == ["h264", "h265", "av1"]
    assert plain["ports"]["rtsp"] == 4


async def test_an_idle_host_has_neither_session_nor_stream(api: Any) -> None:
    plain = await (await api.ask("GET", "/api/v1/status")).get_json()

    assert plain == {
        "video_streaming": False,
        "audio_streaming": False,
        "pin_pending": False,
        "paired_clients": 2,
        "session": None,
        "stream": None,
        "sessions": [],
    }


async def test_the_status_shows_every_session_and_sums_up_the_one_that_streams(
    api: Any, make_view: Any
) -> None:
    streaming = SessionView(
        id=2,
        app="Test pattern",
        mode=VideoMode(width_px=1920, height_px=1080, refresh_mhz=120_000),
        members=(
            MemberView(client="b" * 64, client_name="Phone", stream=_stream(), streaming=True),
        ),
    )
    api.host.views = [make_view(1), streaming]
    api.host.waiting = {1: "TV"}

    plain = await (await api.ask("GET", "/api/v1/status")).get_json()

    assert (plain["video_streaming"], plain["pin_pending"]) == (True, True)
    assert plain["session"] == {"width": 1920, "height": 1080, "fps": 120}
    assert plain["stream"]["codec"] == "h265"
    assert plain["stream"]["packet_size"] == 1024
    first, second = plain["sessions"]
    assert (first["id"], first["fps"], first["streaming"], first["stream"]) == (1, 60, False, None)
    assert (second["client_name"], second["stream"]["bitrate_kbps"]) == ("Phone", 20_000)


async def test_the_status_shows_who_is_in_a_session(api: Any, make_view: Any) -> None:
    guest = MemberView(
        client="b" * 64,
        client_name="Phone",
        guest=True,
        watches=True,
        stream_id=7,
        stream=_stream(),
        streaming=True,
        sample=StreamSample(stream_id=7, window_ms=1_000, encoding=3),
    )
    alone = make_view(1)
    api.host.views = [attrs.evolve(alone, members=(*alone.members, guest), second_client="join")]

    (session,) = (await (await api.ask("GET", "/api/v1/status")).get_json())["sessions"]

    owner, other = session["clients"]
    assert (owner["role"], owner["stream_id"], owner["stream"]) == ("owner", None, None)
    assert (other["role"], other["stream_id"], other["encoding"]) == ("spectator", 7, 3)
    assert (session["client"], session["second_client"]) == (owner["client"], "join")
    assert session["streaming"]
    assert session["stream"] == other["stream"]


async def test_one_stream_can_be_stopped(api: Any) -> None:
    api.host.streams = {7}

    first = await api.ask("DELETE", "/api/v1/session/stream/7")
    again = await api.ask("DELETE", "/api/v1/session/stream/7")
    nonsense = await api.ask("DELETE", "/api/v1/session/stream/seven")

    assert [it.status_code for it in (first, again, nonsense)] == [204, 404, 404]


async def test_compositors_are_listed_with_the_default_first_and_reasons(api: Any) -> None:
    plain = await (await api.ask("GET", "/api/v1/compositors")).get_json()

    assert [(it["id"], it["available"], it["default"]) for it in plain] == [
        ("kwin", True, True),
        ("wlroots", False, False),
    ]
    assert plain[1]["label"] == "sway"
    assert plain[1]["hint"] == "apt install sway"
    assert plain[1]["own"] == {
        "available": False,
        "reason": "sway is not installed",
        "hint": "apt install sway",
    }
    assert plain[1]["attach"] is None


async def test_paired_clients_are_listed_without_their_certificates(api: Any) -> None:
    plain = await (await api.ask("GET", "/api/v1/clients")).get_json()

    assert [client["name"] for client in plain] == ["Deck", "Phone"]
    assert not any("certificate_der" in client for client in plain)


async def test_a_client_is_unpaired_by_its_fingerprint_in_any_case(api: Any) -> None:
    fingerprint = next(iter(api.host.paired))

    first = await api.ask("DELETE", f"/api/v1/clients/{fingerprint.upper()}")
    again = await api.ask("DELETE", f"/api/v1/clients/{fingerprint}")

    assert (first.status_code, again.status_code) == (204, 404)
    assert fingerprint not in api.host.paired


@pytest.mark.parametrize("text", ["x", "0" * 63, "0" * 65, "g" * 64, "٠" * 64, "%00" * 64])
async def test_a_malformed_fingerprint_is_400(api: Any, text: str) -> None:
    assert (await api.ask("DELETE", f"/api/v1/clients/{text}")).status_code == 400


@pytest.mark.parametrize("path", ["/api/v1/clients/a/b", "/api/v1/clients//", "/api/v1//clients"])
async def test_slashes_lead_nowhere(api: Any, path: str) -> None:
    answer = await api.ask("GET", path)

    assert answer.status_code == 404
    assert await error_of(answer)


async def test_a_store_that_cannot_be_written_is_503(api: Any, caplog: Any) -> None:
    api.host.fails_with = OSError(28, "No space left on device")

    answer = await api.ask("DELETE", f"/api/v1/clients/{'0' * 64}")

    assert answer.status_code == 503
    assert "No space left" in await error_of(answer)
    assert "No space left" in caplog.text


async def test_the_pairing_status_shows_who_waits(api: Any) -> None:
    api.host.waiting = {3: "Deck", 5: "Stranger"}

    plain = await (await api.ask("GET", "/api/v1/pair")).get_json()

    assert plain["pin_pending"] is True
    assert plain["pending"][0] == {
        "id": 3,
        "address": "192.168.1.9",
        "client_name": "Deck",
        "seconds_left": 60,
        "age_s": 0,
    }
    assert plain["held_off"] == []


async def test_the_pairing_status_shows_who_has_to_wait_before_the_next_try(api: Any) -> None:
    api.host.waits = [HeldOff(address="192.168.1.7", client_name="Phone", seconds_left=5)]

    plain = await (await api.ask("GET", "/api/v1/pair")).get_json()

    assert plain["pin_pending"] is False
    assert plain["held_off"] == [
        {"address": "192.168.1.7", "client_name": "Phone", "seconds_left": 5}
    ]


async def test_a_client_is_renamed(api: Any) -> None:
    deck = next(iter(api.host.paired))

    answer = await api.ask("PATCH", f"/api/v1/clients/{deck.upper()}", json={"name": "TV"})

    plain = await answer.get_json()
    assert (answer.status_code, plain["fingerprint"], plain["name"]) == (200, deck, "TV")
    assert {"certificate_der", "renamed", "control_v2_used"} & set(plain) == set()


@pytest.mark.parametrize(
    ("fingerprint", "body", "status"),
    [
        ("0" * 64, {"name": "TV"}, 404),
        ("0" * 63, {"name": "TV"}, 400),
        ("0" * 64, {}, 422),
        ("0" * 64, {"name": ""}, 422),
        ("0" * 64, {"name": "x" * 65}, 422),
        ("0" * 64, {"name": 7}, 422),
    ],
)
async def test_a_name_that_makes_no_sense_is_refused(
    api: Any, fingerprint: str, body: object, status: int
) -> None:
    before = api.state()

    answer = await api.ask("PATCH", f"/api/v1/clients/{fingerprint}", json=body)

    assert answer.status_code == status
    assert api.state() == before


async def test_a_pin_goes_to_the_one_that_waits(api: Any) -> None:
    api.host.waiting = {3: "Deck"}

    answer = await api.ask("POST", "/api/v1/pair/pin", json={"pin": "0123"})

    assert answer.status_code == 204
    assert api.host.pins == {3: "0123"}


async def test_when_several_wait_the_pin_must_say_for_whom(api: Any) -> None:
    api.host.waiting = {3: "Deck", 5: "Stranger"}

    without = await api.ask("POST", "/api/v1/pair/pin", json={"pin": "0123"})
    wrong = await api.ask("POST", "/api/v1/pair/pin", json={"pin": "0123", "id": 4})
    right = await api.ask("POST", "/api/v1/pair/pin", json={"pin": "0123", "id": 5})

    assert [without.status_code, wrong.status_code, right.status_code] == [409, 409, 204]
    assert api.host.pins == {5: "0123"}


async def test_a_pin_that_nobody_waits_for_is_409(api: Any) -> None:
    answer = await api.ask("POST", "/api/v1/pair/pin", json={"pin": "1234"})

    assert answer.status_code == 409


@pytest.mark.parametrize("pin", ["", "12a4", "1" * 17, "١٢٣٤", "-123", "12 4"])
async def test_a_malformed_pin_is_400_and_not_repeated(api: Any, pin: str) -> None:
    api.host.waiting = {3: "Deck"}

    answer = await api.ask("POST", "/api/v1/pair/pin", json={"pin": pin})

    assert answer.status_code == 400
    assert not pin or pin not in await error_of(answer)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"pin": "\xff"}', 400),
        (b'{"pin": NaN}', 400),
        (b"[" * 60_000, 400),
        (b'{"pin": "1", "id": ' + b"9" * 5_000 + b"}", 400),
        (b"null", 422),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"pin": 1234}', 422),
        (b'{"pin": null}', 422),
        (b'{"pin": "1", "id": "3"}', 422),
        (b'{"pin": "1", "id": 3.5}', 422),
        (b'{"pin": "1", "id": 2147483648}', 422),
    ],
)
async def test_a_bad_body_is_refused_before_the_host_hears_of_it(
    api: Any, body: bytes, status: int
) -> None:
    api.host.waiting = {3: "Deck"}
    headers = [("Content-Type", "application/json")]

    answer = await api.ask("POST", "/api/v1/pair/pin", headers=headers, body=body)

    assert answer.status_code == status
    assert api.host.pins == {}


async def test_a_body_without_a_length_is_cut_off_as_well(api: Any) -> None:
    headers = [("Content-Type", "application/json")]

    answer = await api.ask("POST", "/api/v1/pair/pin", headers=headers, body=b" " * 70_000)

    assert answer.status_code == 413


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""]
)
async def test_a_body_of_another_type_is_415(api: Any, media_type: str) -> None:
    headers = [("Content-Type", media_type)] if media_type else []

    answer = await api.ask("POST", "/api/v1/pair/pin", headers=headers, body=b'{"pin": "1"}')

    assert answer.status_code == 415


async def test_a_charset_does_no_harm(api: Any) -> None:
    api.host.waiting = {3: "Deck"}
    headers = [("Content-Type", "application/json; charset=utf-8")]

    answer = await api.ask("POST", "/api/v1/pair/pin", headers=headers, body=b'{"pin": "1"}')

    assert answer.status_code == 204


async def test_all_sessions_are_stopped_or_one(api: Any, make_view: Any) -> None:
    api.host.views = [make_view(1), make_view(2), make_view(3)]

    one = await api.ask("DELETE", "/api/v1/session?id=2")
    left = [view.id for view in api.host.views]
    rest = await api.ask("DELETE", "/api/v1/session")
    again = await api.ask("DELETE", "/api/v1/session")

    assert [it.status_code for it in (one, rest, again)] == [204, 204, 204]
    assert left == [1, 3]
    assert api.host.views == []


@pytest.mark.parametrize(
    "query", ["id=", "id=x", "id=-1", "id=1.0", "id=2147483648", "id=1&id=2", "id=" + "9" * 5_000]
)
async def test_a_session_id_that_makes_no_sense_stops_nothing(
    api: Any, make_view: Any, query: str
) -> None:
    api.host.views = [make_view(1)]

    answer = await api.ask("DELETE", f"/api/v1/session?{query}")

    assert answer.status_code == 422
    assert api.host.views


async def test_a_keyframe_needs_a_stream(api: Any, make_view: Any) -> None:
    idle = await api.ask("POST", "/api/v1/session/idr")
    api.host.views = [make_view(1, streaming=True)]
    streaming = await api.ask("POST", "/api/v1/session/idr")

    elsewhere = await api.ask("POST", "/api/v1/session/idr?id=2")
    wrong = await api.ask("POST", "/api/v1/session/idr?id=all")

    assert (idle.status_code, streaming.status_code) == (409, 202)
    assert (elsewhere.status_code, wrong.status_code) == (409, 422)


async def test_the_wrong_method_says_which_would_be_right(api: Any) -> None:
    answer = await api.ask("PUT", "/api/v1/status")

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert await error_of(answer)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DriverUnavailable("x", "no GPU"), 503),
        (PunktfunkError("nothing in particular"), 500),
        (ZeroDivisionError("secret detail"), 500),
    ],
)
async def test_what_goes_wrong_in_the_host_has_the_envelope_too(
    api: Any, error: Exception, status: int
) -> None:
    api.host.fails_with = error

    answer = await api.ask("GET", "/api/v1/host")

    assert answer.status_code == status
    assert "secret detail" not in await error_of(answer)


def _stream() -> StreamRequest:
    return StreamRequest(
        mode=VideoMode(width_px=1920, height_px=1080, refresh_mhz=120_000),
        codec=Codec.HEVC,
        color=ColorSpec(),
        slices_per_frame=1,
        max_reference_frames=0,
        packet_size=1_024,
        bitrate_kbps=20_000,
        encoder_bitrate_kbps=16_000,
        min_fec_packets=2,
        fec_percent=20,
        audio=OpusParams(),
        encrypt_video=False,
        encrypt_audio=False,
        control_v2=True,
        dscp_video=0,
        dscp_audio=0,
        client_sends_fec_status=False,
        client_knows_ping_payload=True,
    )
