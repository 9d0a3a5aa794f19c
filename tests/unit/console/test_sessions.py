"""What the Sessions page says of what runs, and of where the time of a picture goes."""

import time
from typing import Any

import attrs
import pytest

from punktfunk.console.pages.sessions_budget import budget_of
from punktfunk.library import CustomInput
from punktfunk.mgmt.values import MemberView, SessionView
from punktfunk.model.access import Scope
from punktfunk.model.audio import OpusParams
from punktfunk.model.games import Artwork
from punktfunk.model.session import StageTiming, StreamSample
from punktfunk.model.stream import StreamRequest
from punktfunk.model.video import Codec, ColorSpec, VideoMode

MODE = VideoMode(width_px=1920, height_px=1080, refresh_mhz=60_000)
TIMES = {"capture": 200, "submit": 900, "encode": 9_800, "packetize": 300, "send": 100}


def stages(**changed: int) -> tuple[StageTiming, ...]:
    times = {**TIMES, **changed}
    return tuple(StageTiming(name=it, p50_us=us, p99_us=us + 100) for it, us in times.items())


def request(**changed: Any) -> StreamRequest:
    values: dict[str, Any] = {
        "mode": MODE,
        "codec": Codec.HEVC,
        "color": ColorSpec(),
        "slices_per_frame": 1,
        "max_reference_frames": 0,
        "packet_size": 1_024,
        "bitrate_kbps": 20_000,
        "encoder_bitrate_kbps": 16_000,
        "min_fec_packets": 2,
        "fec_percent": 20,
        "audio": OpusParams(),
        "encrypt_video": True,
        "encrypt_audio": True,
        "control_v2": True,
        "dscp_video": 0,
        "dscp_audio": 0,
        "client_sends_fec_status": True,
        "client_knows_ping_payload": True,
    }
    return StreamRequest(**{**values, **changed})


def member(name: str, *, stream_id: int = 7, **changed: Any) -> MemberView:
    values: dict[str, Any] = {
        "client": f"{stream_id:064x}",
        "client_name": name,
        "stream_id": stream_id,
        "stream": request(),
        "streaming": True,
        "connected_unix": int(time.time()) - 120,
        "sample": StreamSample(
            stream_id=stream_id,
            window_ms=1_000,
            stages=stages(),
            frames_new=58,
            frames_repeated=2,
            frames_dropped=1,
            bytes_sent=1_500_000,
            bitrate_kbps=16_000,
            client_packets_missing=9,
            client_packets_recovered=6,
        ),
    }
    return MemberView(**{**values, **changed})


def session(*members: MemberView, app: str = "Solitaire", **changed: Any) -> SessionView:
    return SessionView(
        id=3,
        app=app,
        mode=MODE,
        members=members,
        started_unix=int(time.time()) - 600,
        **changed,
    )


async def test_without_sessions_the_page_says_how_to_get_one(pages: Any) -> None:
    assert "Start an app in Moonlight" in await pages.read("/sessions")
    pages.host.paired.clear()
    assert "Pair a device" in await pages.read("/sessions")


async def test_a_session_is_shown_with_what_was_agreed_and_what_it_does(pages: Any) -> None:
    pages.host.views = [session(member("Deck"))]

    page = await pages.read("/sessions")

    for said in (
        *("Solitaire", "Deck", "Streaming", "1920 × 1080", "H.265", "20.0 Mbit/s"),
        *("Picture, sound and input", "running for 10 minutes", "2 minutes"),
        *("58", "of 60", "2 repeated", "12.0", "of 20.0 Mbit/s", "3</b>", "6 more repaired"),
        *("Encoding takes most: 9.8 ms of 16.7 ms.", "A lower resolution or a GPU encoder"),
    ):
        assert said in page, said
    assert "DELETE api/v1/session?id=3" in page
    assert "DELETE api/v1/session/stream/7" in page
    assert "POST api/v1/session/idr?id=3" in page
    assert "every 2s" in page


async def test_a_client_that_is_away_has_no_figures_and_nothing_to_stop_but_the_app(
    pages: Any,
) -> None:
    away = member("Deck", stream=None, streaming=False, sample=None, connected_unix=None)
    pages.host.views = [session(attrs.evolve(away, stream_id=None))]

    page = await pages.read("/parts/sessions")

    assert "Away; it may come back" in page
    assert "api/v1/session/stream" not in page
    assert "idr" not in page
    assert "Stop the session" in page


async def test_guests_are_named_by_their_role(pages: Any) -> None:
    guests = (
        member("Phone", stream_id=8, guest=True),
        member("TV", stream_id=9, guest=True, watches=True),
    )
    pages.host.views = [session(member("Deck"), *guests)]

    page = await pages.read("/sessions")

    assert all(role in page for role in ("Owner", "Guest", "Watches only"))
    assert "3 devices lose the picture." in page


@pytest.mark.parametrize(
    ("video", "audio", "said"),
    [
        (True, False, "Picture and input"),
        (False, True, "Sound and input"),
        (False, False, "Input only"),
    ],
)
async def test_what_is_encrypted_is_said(pages: Any, video: bool, audio: bool, said: str) -> None:
    stream = request(encrypt_video=video, encrypt_audio=audio)
    pages.host.views = [session(member("Deck", stream=stream))]

    assert said in await pages.read("/sessions")


async def test_who_may_only_look_has_no_buttons(pages: Any) -> None:
    pages.host.views = [session(member("Deck"))]

    assert "data-api" not in await pages.read("/parts/sessions", scope=Scope.READ)
    assert "data-api" in await pages.read("/parts/sessions", scope=Scope.CONTROL)


async def test_pictures_of_elsewhere_are_not_loaded(pages: Any) -> None:
    art = Artwork(portrait="https://example.com/portrait.png")
    game = pages.host.library.create(CustomInput(title="Solitaire", art=art))
    pages.host.views = [session(member("Deck"), app_id=f"custom:{game.id}")]

    page = await pages.read("/sessions")

    assert "<img" not in page
    assert "art-none" in page


async def test_hostile_names_are_text(pages: Any, hostile: tuple[str, ...]) -> None:
    for name in hostile:
        pages.host.views = [session(member(name), app=name)]
        page = await pages.read("/sessions")
        assert "<img src=x" not in page
        assert "<bdi>" in page


async def test_the_page_is_german_for_germans(pages: Any) -> None:
    pages.host.views = [session(member("Deck"))]

    page = await pages.read("/sessions", language="de")

    assert "9,8 ms" in page
    assert "takes most" not in page


def test_the_bar_ends_where_the_time_does() -> None:
    budget = budget_of(stages(encode=30_000), 60)

    assert budget is not None
    assert budget.state == "bad"
    assert budget.limit == pytest.approx(16_667 / 31_500, rel=0.01)
    assert sum(it.share for it in budget.stages) == pytest.approx(1)
    assert budget.stages[0].begins == 0


@pytest.mark.parametrize(
    ("encode", "state"), [(1_000, "ok"), (12_000, "warn"), (16_000, "bad"), (40_000, "bad")]
)
def test_the_verdict_goes_by_the_share_of_a_pictures_time(encode: int, state: str) -> None:
    budget = budget_of(stages(encode=encode), 60)

    assert budget is not None
    assert budget.state == state


def test_single_late_pictures_are_told_though_most_are_in_time() -> None:
    late = StageTiming(name="capture", p50_us=300, p99_us=40_000)

    budget = budget_of((late, StageTiming(name="encode", p50_us=2_000, p99_us=3_000)), 60)

    assert budget is not None
    assert budget.state == "warn"
    assert "Capture takes up to 40.0 ms" in budget.late


def test_stages_of_a_later_version_are_shown_by_their_own_names() -> None:
    budget = budget_of((StageTiming(name="tone_map", p50_us=16_000, p99_us=16_000),), 60)

    assert budget is not None
    assert [it.label for it in budget.stages] == ["Tone map"]
    assert budget.most.startswith("Tone map takes most")


def test_nothing_measured_is_no_budget() -> None:
    assert budget_of((), 60) is None
    assert budget_of(stages(**dict.fromkeys(TIMES, 0)), 60) is None
