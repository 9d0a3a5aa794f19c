"""Picture and sound of the test pattern, read back from what a real client decoded."""

import pytest
from harness import ClientError, MoonlightClient, Relay
from host_process import HostProcess, eventually
from machine import cpu_s, memory_bytes
from proof import RELAY_ADDRESS, Figures, Player, assert_whole, play, watch

pytestmark = pytest.mark.e2e

TONES_HZ = {
    "FL": 440,
    "FR": 554,
    "FC": 659,
    "LFE": 80,
    "BL": 784,
    "BR": 932,
    "SL": 1_109,
    "SR": 1_319,
}
LAYOUTS = {
    "stereo": ("FL", "FR"),
    "51": ("FL", "FR", "FC", "LFE", "BL", "BR"),
    "71": ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}
HIGH_QUALITY_KBPS = 15_000
SPS_START = bytes.fromhex("0000000167")


def assert_tones(audio: dict, layout: str, least_share: float) -> None:
    """Every channel has its own tone, and hardly anything else."""
    channels = audio["channels"]
    assert tuple(channel["channel"] for channel in channels) == LAYOUTS[layout]
    for channel in channels:
        expected_hz = TONES_HZ[channel["channel"]]
        assert channel["hz"] is not None, channel
        assert abs(channel["hz"] - expected_hz) < 6, channel
        assert channel["share"] > least_share, channel
    assert audio["decode_errors"] == 0
    assert audio["packets_lost"] == 0


def test_h264_at_720p60_with_stereo_sound(
    host: HostProcess, client: MoonlightClient, figures: Figures
) -> None:
    play(client, codec="h264", bitrate_kbps=10_000)
    client.wait_frames(20)
    worker = host.worker_of_port(host.base_port + 9)
    before_s = cpu_s(worker)
    seen = watch(client, 300)
    video = seen["video"]
    used_s = cpu_s(worker) - before_s
    since_launch = seen["since_launch_ms"]
    figures(
        fps=video["fps"],
        decoded=f"{video['frames_decoded']}/{video['frames_received']}",
        distinct=video["cards"]["distinct"],
        missing=video["cards"]["missing_count"],
        card_to_picture_ms=video["cards"]["latency_ms"]["p50"],
        host_latency_ms=video["host_latency_ms"]["p50"],
        worker_cpu_percent=100 * used_s * 60 / 320,
        worker_memory_mb=memory_bytes(worker) / 1e6,
        **{f"since_launch_{name}_ms": value for name, value in since_launch.items()},
    )
    assert seen["codec"] == "h264"
    assert (video["width"], video["height"]) == (1280, 720)
    assert_whole(video, 60)
    assert 0 < video["host_latency_ms"]["p50"] < 50
    assert all(value is not None for value in since_launch.values())
    assert_tones(seen["audio"], "stereo", 0.9)
    assert seen["network"]["logged"].get("audio_fec_switched_off", 0) == 0


@pytest.mark.parametrize("codec", ["hevc", "av1"])
def test_the_other_codecs_at_a_mode_that_software_manages(
    host: HostProcess, client: MoonlightClient, figures: Figures, codec: str
) -> None:
    play(client, width=640, height=360, fps=30, codec=codec, bitrate_kbps=3_000)
    client.wait_frames(20)
    worker = host.worker_of_port(host.base_port + 9)
    before_s = cpu_s(worker)
    seen = watch(client, 100)
    video = seen["video"]
    cpu_percent = 100 * (cpu_s(worker) - before_s) * 30 / 120
    figures(
        fps=video["fps"],
        decoded=f"{video['frames_decoded']}/{video['frames_received']}",
        host_latency_ms=video["host_latency_ms"]["p50"],
        worker_cpu_percent=cpu_percent,
        idr_frames=video["idr_frames"],
    )
    assert seen["codec"] == codec
    assert cpu_percent <= 60
    assert_whole(video, 30)


def test_the_client_gets_the_rate_of_its_display(
    host: HostProcess, client: MoonlightClient
) -> None:
    play(client, width=640, height=360, fps=60, refresh_x100=5_994, bitrate_kbps=3_000)
    video = watch(client, 180)["video"]
    assert_whole(video, 59.94)
    assert abs(video["fps"] - 59.94) < 0.5
    assert host.status()["sessions"][0]["fps"] == 60


@pytest.mark.parametrize("full_range", [False, True])
def test_the_picture_has_the_colours_the_client_asked_for(
    client: MoonlightClient, full_range: bool
) -> None:
    play(client, width=640, height=360, fps=30, bitrate_kbps=4_000, full_range=full_range)
    client.wait_frames(30)
    video = client.stats(drain_s=1)["video"]
    assert video["colour"]["range"] == (2 if full_range else 1)
    shown = client.pixel(300, 80)  # the green bar
    assert all(abs(value - drawn) <= 12 for value, drawn in zip(shown, (0, 191, 0), strict=True)), (
        shown
    )


@pytest.mark.parametrize("audio", ["stereo", "51", "71"])
@pytest.mark.parametrize(
    ("bitrate_kbps", "slow_audio"),
    [(4_000, False), (4_000, True), (HIGH_QUALITY_KBPS, False)],
    ids=["5ms", "10ms", "high-quality"],
)
def test_every_channel_carries_its_own_tone(
    client: MoonlightClient, figures: Figures, audio: str, bitrate_kbps: int, slow_audio: bool
) -> None:
    play(
        client,
        width=640,
        height=360,
        audio=audio,
        bitrate_kbps=bitrate_kbps,
        slow_audio=slow_audio,
    )
    client.wait_frames(110)
    heard = client.stats(drain_s=1)["audio"]
    figures(
        layout=heard["layout"],
        packets=heard["packets"],
        bytes=heard["packet_bytes"],
        tones=[(each["channel"], each["hz"], each["share"]) for each in heard["channels"]],
    )
    assert heard["layout"]["samples_per_frame"] == (480 if slow_audio else 240)
    high_quality = heard["layout"]["coupled_streams"] == 0
    assert high_quality is (audio != "stereo" and bitrate_kbps == HIGH_QUALITY_KBPS)
    assert_tones(heard, audio, 0.9)


@pytest.mark.parametrize("encryption", ["none", "audio", "video", "all"])
def test_what_the_client_asks_to_encrypt_is_encrypted_on_the_wire(
    host: HostProcess, relay: Relay, player: Player, encryption: str
) -> None:
    client = player(host, address=RELAY_ADDRESS)
    play(
        client,
        width=640,
        height=360,
        fps=30,
        bitrate_kbps=4_000,
        encryption=encryption,
        rewrite_url=True,
    )
    client.wait_frames(60)
    seen = client.stats(drain_s=1)
    assert seen["video"]["frames_undecodable"] == 0
    assert seen["network"]["logged"].get("undecryptable", 0) == 0
    assert_tones(seen["audio"], "stereo", 0.9)

    pictures = relay.datagrams("video:down")
    assert any(SPS_START in each for each in pictures) is (encryption in ("none", "audio"))
    sounds = [each for each in relay.datagrams("audio:down") if each[1] & 0x7F == 97]
    whole_blocks = all((len(each) - 12) % 16 == 0 for each in sounds)
    first_bytes = {each[12] for each in sounds}  # Opus begins every packet with what it is
    assert len(sounds) > 10
    assert (whole_blocks and len(first_bytes) > 4) is (encryption in ("audio", "all"))


def test_a_client_without_sealed_rtsp_streams_too(
    host: HostProcess, client: MoonlightClient
) -> None:
    launched = client.launch("Test pattern", width=640, height=360, fps=30, corever=False)
    assert launched["session_url"].startswith("rtsp://")
    client.start(bitrate_kbps=3_000)
    client.wait_frames(30)
    assert client.stats(drain_s=1)["video"]["frames_undecodable"] == 0


def test_a_client_that_knows_it_gets_sealed_rtsp(client: MoonlightClient) -> None:
    launched = client.launch("Test pattern", width=640, height=360, fps=30)
    assert launched["session_url"].startswith("rtspenc://")
    client.quit()


def test_a_key_frame_comes_when_the_client_or_the_owner_asks(
    host: HostProcess, client: MoonlightClient
) -> None:
    play(client, width=640, height=360, fps=30, bitrate_kbps=3_000)
    client.wait_frames(30)
    client.stats(reset=True)
    client.wait_frames(60)
    assert client.stats()["video"]["idr_frames"] == 0

    client.request_idr()
    took_s = eventually(lambda: client.stats()["video"]["idr_frames"] == 1, 2, "the client's IDR")
    assert took_s < 0.5
    assert host.api("POST", "/session/idr")[0] == 202
    eventually(lambda: client.stats()["video"]["idr_frames"] == 2, 2, "the owner's IDR")
    client.stop()


def test_a_mode_the_host_cannot_do_is_refused_with_a_reason(client: MoonlightClient) -> None:
    client.launch("Test pattern", width=640, height=360, fps=30)
    with pytest.raises(ClientError) as refused:
        client.start(width=30, height=20)
    assert refused.value.kind == "connection"
    assert refused.value.code == 400
