"""What is offered, what is asked for, and what becomes of it."""

import json
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from punktfunk.errors import ProtocolError, Refused
from punktfunk.gamestream.negotiation import StreamLimits, negotiate
from punktfunk.gamestream.sdp import (
    MAX_ATTRIBUTES,
    MAX_LINE_BYTES,
    Announce,
    Encryption,
    HostCapabilities,
    describe,
    parse_announce,
)
from punktfunk.model.audio import STEREO, SURROUND_51, SURROUND_71
from punktfunk.model.stream import StreamRequest
from punktfunk.model.video import Codec, ColorSpace

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "gamestream" / "rtsp.json").read_text()
)
RECORDED = VECTORS["announce_attributes"]
PLAIN = RECORDED["plain_h264_stereo"]
LIMITS = StreamLimits(codecs=frozenset(Codec))
FIELDS = {field.metadata["sdp"]: field for field in attrs.fields(Announce) if field.metadata}
ABSURD = [0, 1, 2, 3, 15, 16, 17, 255, 1_392, 4_096, 65_535, 10**6, 2**31, 2**32, 2**63, 10**20 - 1]


def body_of(attributes: dict[str, str]) -> bytes:
    lines = ["v=0", "o=android 0 14 IN IPv4 127.0.0.1", "s=NVIDIA Streaming Client"]
    lines += [f"a={name}:{value} " for name, value in attributes.items()]
    return "\r\n".join((*lines, "t=0 0", "m=video 47998  ", "")).encode()


def agree(changes: dict[str, object] | None = None, limits: StreamLimits = LIMITS, host: str = ""):
    attributes = PLAIN | {name: str(value) for name, value in (changes or {}).items()}
    return negotiate(parse_announce(body_of(attributes), host), limits)


def test_describe_of_a_plain_host_promises_nothing_more():
    text = describe(HostCapabilities(codecs={Codec.H264})).decode()

    assert "a=x-ss-general.featureFlags:0\r\n" in text
    assert "a=x-ss-general.encryptionSupported:7\r\n" in text
    assert "a=x-ss-general.encryptionRequested:1\r\n" in text
    for marker in ("sprop-parameter-sets", "AV1/90000", "refPicInvalidation"):
        assert marker not in text


def test_describe_of_a_rich_host_carries_every_marker():
    text = describe(
        HostCapabilities(
            codecs=frozenset(Codec),
            reference_invalidation=True,
            pen_touch=True,
            controller_motion=True,
            encryption_requested=Encryption.ALL,
        )
    ).decode()

    assert "a=x-ss-general.featureFlags:3\r\n" in text
    assert "a=x-ss-general.encryptionRequested:7\r\n" in text
    assert "sprop-parameter-sets=AAAAAU\r\n" in text
    assert "a=rtpmap:98 AV1/90000\r\n" in text
    assert "a=x-nv-video[0].refPicInvalidation:1\r\n" in text


def test_describe_lists_the_normal_layout_before_the_high_one():
    lines = describe(HostCapabilities(codecs={Codec.H264})).decode().splitlines()

    for channels, first, second in ((6, "642014235", "660012345"), (8, "853", "880")):
        found = [line for line in lines if f"surround-params={channels}" in line]
        assert f"={first}" in found[0]
        assert f"={second}" in found[1]
        assert len(found) == 2


@pytest.mark.parametrize("name", RECORDED)
def test_announcements_of_the_real_client_are_read(name):
    announce = parse_announce(body_of(RECORDED[name]))

    for attribute, field in FIELDS.items():
        if attribute in RECORDED[name]:
            assert getattr(announce, field.name) == int(RECORDED[name][attribute])


def test_the_recorded_stereo_client_gets_what_it_asked_for():
    request = agree()

    assert str(request.mode) == "1280x720@60"
    assert request.codec is Codec.H264
    assert (request.color.space, request.color.full_range) == (ColorSpace.REC709, False)
    assert request.packet_size == 1_392
    assert request.bitrate_kbps == 10_000
    assert request.audio.layout is STEREO
    assert (request.encrypt_video, request.encrypt_audio, request.control_v2) == (
        False,
        False,
        True,
    )
    assert (request.dscp_video, request.dscp_audio) == (40, 48)
    assert request.client_sends_fec_status and request.client_knows_ping_payload
    assert request.min_fec_packets == 2
    assert request.encode_params.bitrate_kbps == request.encoder_bitrate_kbps


def test_the_recorded_surround_client_gets_everything_encrypted():
    request = negotiate(parse_announce(body_of(RECORDED["enc_hevc_51"])), LIMITS)

    assert request.codec is Codec.HEVC
    assert request.audio.layout is SURROUND_51 and request.audio.high_quality
    assert (request.encrypt_video, request.encrypt_audio, request.control_v2) == (True,) * 3
    assert request.packet_size == 1_360


def test_the_recorded_hdr_client_is_told_that_there_is_no_hdr():
    with pytest.raises(Refused, match="HDR") as refused:
        negotiate(parse_announce(body_of(RECORDED["remote_av1_hdr_71"])), LIMITS)
    assert refused.value.fields["status"] == 400

    without_hdr = RECORDED["remote_av1_hdr_71"] | {"x-nv-video[0].dynamicRangeMode": "0"}
    request = negotiate(parse_announce(body_of(without_hdr)), LIMITS)
    assert (request.codec, request.audio.layout) == (Codec.AV1, SURROUND_71)
    assert (request.dscp_video, request.dscp_audio) == (0, 0)
    assert request.encrypt_audio and not request.encrypt_video


def test_absent_attributes_have_the_protocols_defaults():
    required = {name for name, field in FIELDS.items() if field.default is attrs.NOTHING}
    announce = parse_announce(body_of(dict.fromkeys(required, "1")))

    assert required == {
        "x-nv-video[0].clientViewportWd",
        "x-nv-video[0].clientViewportHt",
        "x-nv-video[0].maxFPS",
        "x-nv-video[0].packetSize",
        "x-nv-vqos[0].bw.maximumBitrateKbps",
    }
    assert (announce.reliable_udp, announce.nv_features, announce.ml_features) == (1, 135, 0)
    assert (announce.video_traffic_type, announce.audio_traffic_type) == (5, 4)
    assert (announce.audio_channels, announce.audio_packet_ms) == (2, 5)
    for missing in required:
        with pytest.raises(ProtocolError, match="is missing"):
            parse_announce(body_of(dict.fromkeys(required - {missing}, "1")))


@pytest.mark.parametrize("value", ["", "-1", "1.5", "0x10", "abc", "1 2", "9" * 21])
def test_a_value_that_is_no_plain_number_is_refused(value):
    with pytest.raises(ProtocolError, match="not a number"):
        parse_announce(body_of(PLAIN | {"x-nv-video[0].maxFPS": value}))


def test_lines_may_end_in_a_bare_line_feed_and_unknown_attributes_are_ignored():
    body = body_of(PLAIN | {"x-new.thing": "yes"}).replace(b"\r\n", b"\n")

    assert parse_announce(body) == parse_announce(body_of(PLAIN))


def test_threat_10_an_announcement_of_a_million_attributes_is_refused():
    body = b"a=x:1\n" * 1_000_000

    with pytest.raises(ProtocolError, match="too many"):
        parse_announce(body)
    with pytest.raises(ProtocolError, match="too many attributes"):
        parse_announce(b"a=x:1\n" * (MAX_ATTRIBUTES + 1))


def test_threat_10_an_endless_line_is_refused():
    with pytest.raises(ProtocolError, match="too long"):
        parse_announce(b"a=x:" + b"1" * MAX_LINE_BYTES)


@given(body=st.binary(max_size=300))
def test_threat_10_no_body_whatever_makes_the_parser_fail_in_another_way(body):
    with pytest.raises(ProtocolError):
        parse_announce(body)


@settings(max_examples=300)
@given(
    changes=st.dictionaries(
        st.sampled_from(sorted(FIELDS)),
        st.one_of(st.sampled_from(ABSURD), st.integers(0, 10**20 - 1)),
        max_size=6,
    ),
    fec_percent=st.sampled_from([0, 1, 20, 80, 81, 255]),
)
def test_threat_11_absurd_values_are_clamped_or_refused(changes, fec_percent):
    limits = attrs.evolve(LIMITS, fec_percent=fec_percent)
    try:
        request = agree(changes, limits)
    except Refused as refused:
        assert refused.fields["status"] in (400, 403)
        assert str(refused)
        return
    check_within(request, limits)


@pytest.mark.parametrize("name", sorted(FIELDS))
@pytest.mark.parametrize("value", ABSURD)
def test_threat_11_every_field_alone_at_absurd_values(name, value):
    try:
        request = agree({name: value})
    except Refused as refused:
        assert refused.fields["status"] in (400, 403)
        return
    check_within(request, LIMITS)


def check_within(request: StreamRequest, limits: StreamLimits) -> None:
    assert 64 <= request.mode.width_px <= limits.max_width_px
    assert 64 <= request.mode.height_px <= limits.max_height_px
    assert request.mode.width_px % 2 == request.mode.height_px % 2 == 0
    assert 1_000 <= request.mode.refresh_mhz <= limits.max_fps * 1_000
    assert request.packet_size % 16 == 0
    assert 256 <= request.packet_size <= limits.max_packet_size
    assert 100 <= request.encoder_bitrate_kbps <= request.bitrate_kbps <= limits.max_bitrate_kbps
    assert request.min_fec_packets <= 2


@pytest.mark.parametrize(
    "changes",
    [
        {"x-nv-video[0].clientViewportWd": 0, "x-nv-video[0].clientViewportHt": 0},
        {"x-nv-video[0].clientViewportWd": 65_535, "x-nv-video[0].clientViewportHt": 65_535},
        {"x-nv-video[0].maxFPS": 0},
        {"x-nv-video[0].maxFPS": 10**6},
        {"x-nv-video[0].packetSize": 0},
        {"x-nv-video[0].packetSize": 1},
        {"x-nv-video[0].packetSize": 65_535},
        {"x-nv-video[0].packetSize": 1_390},
        {"x-nv-vqos[0].bitStreamFormat": 3},
        {"x-ss-video[0].chromaSamplingType": 1},
        {"x-nv-video[0].dynamicRangeMode": 1},
        {"x-nv-video[0].encoderCscMode": 6},
        {"x-nv-audio.surround.numChannels": 0},
        {"x-nv-audio.surround.numChannels": 4},
        {"x-nv-audio.surround.numChannels": 6},
        {"x-nv-audio.surround.channelMask": 63},
        {"x-nv-aqos.packetDuration": 0},
        {"x-nv-aqos.packetDuration": 20},
    ],
)
def test_threat_11_what_cannot_be_clamped_is_refused_with_a_reason(changes):
    with pytest.raises(Refused) as refused:
        agree(changes)

    assert refused.value.fields["status"] == 400
    assert len(str(refused.value)) > 20


def test_threat_11_an_endless_bitrate_is_lowered_to_the_limit():
    request = agree({"x-ml-video.configuredBitrateKbps": 2**63})

    assert request.bitrate_kbps == LIMITS.max_bitrate_kbps


def test_threat_11_absurd_parity_wishes_are_lowered():
    assert agree({"x-nv-vqos[0].fec.minRequiredFecPackets": 65_535}).min_fec_packets == 2
    assert agree({"x-nv-vqos[0].fec.minRequiredFecPackets": 0}).min_fec_packets == 0


def test_without_the_persons_setting_the_maximum_counts():
    request = agree({"x-ml-video.configuredBitrateKbps": 0})

    assert request.bitrate_kbps == 8_000


def test_codecs_that_were_not_offered_are_refused_by_name():
    only_h264 = StreamLimits(codecs={Codec.H264})

    with pytest.raises(Refused, match="hevc"):
        agree({"x-nv-vqos[0].bitStreamFormat": 1}, only_h264)


def test_surround_is_refused_where_the_host_has_none():
    surround = {
        "x-nv-audio.surround.numChannels": 6,
        "x-nv-audio.surround.channelMask": 63,
    }

    assert agree(surround).audio.layout is SURROUND_51
    with pytest.raises(Refused, match="surround"):
        agree(surround, attrs.evolve(LIMITS, surround=False))


@pytest.mark.parametrize(
    ("host", "high_quality"), [("0.0.0.0", False), ("192.168.0.2", True), ("", True)]
)
def test_stereo_quality_is_told_by_the_host_header(host, high_quality):
    assert agree(host=host).audio.high_quality is high_quality


@pytest.mark.parametrize(
    ("fps", "x100", "refresh_mhz"),
    [
        (60, 5_994, 59_940),
        (60, 6_000, 60_000),
        (60, 0, 60_000),
        (60, 12_000, 60_000),
        (60, 6_060, 60_600),
        (60, 6_061, 60_000),
        (30, 2_997, 29_970),
        (1_000, 0, 240_000),
    ],
)
def test_a_fractional_rate_counts_only_near_the_whole_one(fps, x100, refresh_mhz):
    request = agree({"x-nv-video[0].maxFPS": fps, "x-nv-video[0].clientRefreshRateX100": x100})

    assert request.mode.refresh_mhz == refresh_mhz


def test_the_encoder_leaves_room_for_parity_and_sound():
    request = agree(
        {"x-ml-video.configuredBitrateKbps": 50_000},
        attrs.evolve(LIMITS, fec_percent=20),
        host="0.0.0.0",
    )

    assert request.encoder_bitrate_kbps == 50_000 * 80 // 100 - 2 * 96 - 500


@pytest.mark.parametrize("fec_percent", [0, 5, 20, 50, 100, 255])
@pytest.mark.parametrize("kbps", [2_200, 5_000, 20_000, 150_000])
@pytest.mark.parametrize("fps", [30, 60, 240])
def test_pictures_with_their_parity_keep_to_the_rate(fec_percent, kbps, fps):
    request = agree(
        {
            "x-ml-video.configuredBitrateKbps": kbps,
            "x-nv-video[0].maxFPS": fps,
            "x-nv-video[0].clientRefreshRateX100": 0,
        },
        attrs.evolve(LIMITS, fec_percent=fec_percent),
    )

    payload_bytes = request.packet_size - 16
    frame_bytes = request.encoder_bitrate_kbps * 1_000 // (8 * fps)
    data = max(1, -(-frame_bytes // payload_bytes))
    parity = -(-data * fec_percent // 100)
    if fec_percent:
        parity = max(parity, request.min_fec_packets)
    wire_kbps = (data + parity) * (request.packet_size + 16) * 8 * fps / 1_000
    # A picture is at least one packet, whatever the rate.
    assert wire_kbps <= kbps or data == 1


def test_a_client_without_encrypted_control_is_refused():
    with pytest.raises(Refused, match="too old") as refused:
        agree({"x-nv-general.useReliableUdp": 1})

    assert refused.value.fields["status"] == 403


@pytest.mark.parametrize("cleared", [Encryption.CONTROL_V2, Encryption.VIDEO, Encryption.AUDIO])
def test_threat_34_cleared_encryption_flags_are_refused_below_policy(cleared):
    limits = attrs.evolve(LIMITS, encryption_required=Encryption.ALL)
    attribute = "x-ss-general.encryptionEnabled"

    assert agree({attribute: 7}, limits).control_v2
    with pytest.raises(Refused, match=str(cleared.name).lower()) as refused:
        agree({attribute: int(Encryption.ALL & ~cleared)}, limits)
    assert refused.value.fields["status"] == 403


def test_the_older_audio_flag_turns_encryption_on_although_nobody_offered_it():
    request = agree({"x-nv-general.featureFlags": 167, "x-ss-general.encryptionEnabled": 0})

    assert request.encrypt_audio
    assert not request.control_v2
