import json
from pathlib import Path
from xml.etree import ElementTree

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from punktfunk.errors import ProtocolError
from punktfunk.gamestream import nvhttp
from punktfunk.gamestream.launch import read_launch, read_resume
from punktfunk.gamestream.query import MAX_PARAMETERS, Query, split_target
from punktfunk.model.apps import App
from punktfunk.model.audio import STEREO, SURROUND_51, SURROUND_71
from punktfunk.model.video import Codec, VideoMode

VECTOR = json.loads((Path(__file__).parents[2] / "vectors/gamestream/nvhttp.json").read_text())
LAUNCH = VECTOR["requests"]["launch"]
RESUME = VECTOR["requests"]["resume_negative_rikeyid_71"]

INFO = nvhttp.ServerInfo(
    hostname="testhost",
    unique_id="11111111-2222-3333-4444-555555555555",
    https_port=47984,
    http_port=47989,
    local_address="192.168.1.10",
    codecs=frozenset({Codec.H264, Codec.HEVC}),
)


def query_of(target: str) -> Query:
    return split_target(target.encode())[1]


def changed(target: str, name: str, value: str | None) -> Query:
    """The recorded request with one parameter replaced, or left out."""
    path, _, text = target.partition("?")
    parts = [part for part in text.split("&") if part.partition("=")[0] != name]
    if value is not None:
        parts.append(f"{name}={value}")
    return query_of(f"{path}?{'&'.join(parts)}")


def test_serverinfo_is_what_a_real_client_accepted() -> None:
    recorded = VECTOR["responses"]["serverinfo_http"]
    ours = recorded.replace("PYHOST", "PUNKTFUNK").replace(">259<", ">257<")

    assert nvhttp.serverinfo(INFO, paired=False).decode() == ours


def test_a_running_game_and_a_paired_client_are_shown() -> None:
    info = attrs.evolve(INFO, current_game=7, external_address="203.0.113.9")

    root = ElementTree.fromstring(nvhttp.serverinfo(info, paired=True))

    assert root.findtext("state") == "PUNKTFUNK_SERVER_BUSY"
    assert root.findtext("currentgame") == "7"
    assert root.findtext("PairStatus") == "1"
    assert root.findtext("ExternalIP") == "203.0.113.9"


def test_strangers_see_a_free_host_without_hardware_address() -> None:
    info = attrs.evolve(INFO, current_game=7, mac="aa:bb:cc:dd:ee:ff")

    assert nvhttp.serverinfo(info.for_strangers(), paired=False) == nvhttp.serverinfo(
        INFO, paired=False
    )


@pytest.mark.parametrize("hostname", ["", "  ", "a\x00b"])
def test_no_mandatory_element_is_ever_empty(hostname: str) -> None:
    root = ElementTree.fromstring(
        nvhttp.serverinfo(attrs.evolve(INFO, hostname=hostname), paired=False)
    )

    assert all(child.text and child.text.strip() for child in root)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("192.168.1.10", "192.168.1.10"),
        ("::ffff:192.168.1.10", "192.168.1.10"),
        ("2001:db8::1", "127.0.0.1"),
        ("fe80::1%eth0", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
def test_an_ipv6_address_is_never_shown(address: str, shown: str) -> None:
    xml = nvhttp.serverinfo(attrs.evolve(INFO, local_address=address), paired=False)

    assert ElementTree.fromstring(xml).findtext("LocalIP") == shown


@pytest.mark.parametrize(
    ("codecs", "mask"),
    [
        ({Codec.H264}, 1),
        ({Codec.H264, Codec.HEVC}, 257),
        ({Codec.H264, Codec.HEVC, Codec.AV1}, 65793),
        ({Codec.AV1}, 65536),
    ],
)
def test_the_codec_mask(codecs: set[Codec], mask: int) -> None:
    assert nvhttp.codec_mode_support(codecs) == mask


def test_a_host_without_any_codec_cannot_be_announced() -> None:
    with pytest.raises(ValueError, match="codecs"):
        attrs.evolve(INFO, codecs=frozenset())


def test_hevc_needs_its_luma_pixels() -> None:
    without = nvhttp.serverinfo(attrs.evolve(INFO, codecs=frozenset({Codec.H264})), paired=False)

    assert b"<MaxLumaPixelsHEVC>0<" in without


def test_other_answers_are_what_a_real_client_accepted() -> None:
    recorded = VECTOR["responses"]
    url = "rtspenc://192.168.1.10:48010"

    assert nvhttp.failure(401, nvhttp.UNAUTHORISED).decode() == recorded["unpaired_https"]
    assert nvhttp.answer(("sessionUrl0", url), ("gamesession", 1)).decode() == recorded["launch"]
    assert nvhttp.answer(("sessionUrl0", url), ("resume", 1)).decode() == recorded["resume"]
    assert nvhttp.answer(("cancel", 1)).decode() == recorded["cancel"]


def test_the_applist_has_no_whitespace_between_tags() -> None:
    apps = [
        App(library_id="desktop:desktop", title="Desktop", desktop_like=True),
        App(library_id="steam:220", title='Half-Life <2> & "more"\n'),
        App(library_id="steam:0", title="  "),
    ]

    xml = nvhttp.applist(apps)

    root = ElementTree.fromstring(xml)
    assert [app.findtext("AppTitle") for app in root] == ["Desktop", 'Half-Life <2> & "more"']
    assert [app.findtext("ID") for app in root] == [str(a.moonlight_id) for a in apps[:2]]
    assert [app.findtext("IsAppCollectorGame") for app in root] == ["1", None]
    assert not any((app.tail or app.text or "").isspace() for app in root.iter("App"))
    assert nvhttp.applist([]).endswith(b'<root status_code="200"></root>')


@given(st.text())
def test_any_text_becomes_well_formed_xml(text: str) -> None:
    shown = ElementTree.fromstring(nvhttp.failure(503, text, ("x", text)))

    assert shown.get("status_message") == shown.findtext("x", "")


@given(st.binary(max_size=300))
def test_a_query_is_read_or_refused_but_never_crashes(noise: bytes) -> None:
    try:
        _, query = split_target(b"/launch?" + noise)
        read_launch(query)
    except ProtocolError:
        pass
    else:
        pytest.fail("noise was taken for a launch")


def test_names_are_read_in_any_case_and_values_decoded() -> None:
    path, query = split_target(b"/pair?UniqueID=AB&deviceName=a%20b%26c&empty=")

    assert path == "/pair"
    assert query.text("uniqueid") == "AB"
    assert query.text("DEVICENAME") == "a b&c"
    assert "empty" in query
    assert query.text("absent") == ""


@pytest.mark.parametrize(
    "target",
    [
        b"http://evil/launch",
        b"*",
        b"",
        b"/x?" + b"&".join(b"a%d=1" % n for n in range(MAX_PARAMETERS + 1)),
        b"/x?a=1&A=2",
        b"/" + b"x" * 40_000,
        b"/\xff",
    ],
)
def test_unusable_targets_are_refused(target: bytes) -> None:
    with pytest.raises(ProtocolError):
        split_target(target)


def test_a_recorded_launch_is_read() -> None:
    request = read_launch(query_of(LAUNCH))

    assert request.app_id == 2
    assert request.mode == VideoMode(width_px=1280, height_px=720, refresh_mhz=60_000)
    assert request.ri_key.hex() == "1330d9d52b394d1fb69fa7c403f5b37f"
    assert request.ri_key_id.to_bytes(4, "big").hex() == "286049e4"
    assert request.layout == STEREO
    assert request.hdr and request.optimise_display and not request.play_audio_on_host
    assert request.encrypted_rtsp
    assert request.session_url("192.168.1.10", 48010) == "rtspenc://192.168.1.10:48010"


def test_a_recorded_resume_with_negative_key_id_and_surround_is_read() -> None:
    request = read_resume(query_of(RESUME))

    assert request.ri_key_id == 3465538888
    assert request.ri_key_id.to_bytes(4, "big").hex() == "ce8fed48"
    assert request.layout == SURROUND_71
    assert request.gamepad_mask == 1


def test_a_resume_may_leave_out_app_and_mode_but_a_launch_may_not() -> None:
    short = "/resume?rikey=" + "00" * 16 + "&rikeyid=1"

    request = read_resume(query_of(short))

    assert (request.app_id, request.mode, request.core_version) == (0, None, None)
    assert request.session_url("2001:db8::1", 48010) == "rtsp://[2001:db8::1]:48010"
    assert request.session_url("fe80::1%eth0", 48010) == "rtsp://[fe80::1]:48010"
    with pytest.raises(ProtocolError):
        read_launch(query_of(short))


def test_5_1_is_read() -> None:
    assert read_launch(changed(LAUNCH, "surroundAudioInfo", "4128774")).layout == SURROUND_51


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("appid", None),
        ("appid", "0"),
        ("appid", "-1"),
        ("appid", "2147483648"),
        ("appid", "2x"),
        ("appid", "%D9%A2"),
        ("mode", None),
        ("mode", "1280x720"),
        ("mode", "1280x720x0"),
        ("mode", "0x0x60"),
        ("mode", "65535x65535x60"),
        ("mode", "1280x720x9999"),
        ("mode", "-1280x720x60"),
        ("rikey", None),
        ("rikey", ""),
        ("rikey", "00" * 15),
        ("rikey", "00" * 17),
        ("rikey", "zz" * 16),
        ("rikey", "0" * 31),
        ("rikeyid", None),
        ("rikeyid", "4294967296"),
        ("rikeyid", "-2147483649"),
        ("rikeyid", "1e5"),
        ("surroundAudioInfo", "0"),
        ("surroundAudioInfo", "196611"),
        ("surroundAudioInfo", "999999999999"),
        ("localAudioPlayMode", "2"),
        ("gcmap", "65536"),
        ("corever", "-1"),
        ("hdrMode", "yes"),
    ],
)
def test_a_malformed_launch_parameter_is_refused_by_name(name: str, value: str | None) -> None:
    with pytest.raises(ProtocolError, match=name):
        read_launch(changed(LAUNCH, name, value))


def test_the_key_is_neither_in_a_repr_nor_in_an_error() -> None:
    request = read_launch(query_of(LAUNCH))
    assert "1330d9d5" not in repr(request)
    assert repr(request.ri_key) not in repr(request)

    with pytest.raises(ProtocolError) as refused:
        read_launch(changed(LAUNCH, "rikey", "1330d9d52b394d1fb69fa7c403f5b3zz"))

    assert "1330d9d5" not in f"{refused.value} {refused.value.fields}"
