"""From what the host knows to what the API says. Pure."""

from collections.abc import Sequence

from punktfunk.mgmt.values import (
    AvailableCompositor,
    ClientStatus,
    MemberView,
    RuntimeStatus,
    SessionInfo,
    SessionStatus,
    SessionView,
    StreamFigures,
    StreamInfo,
)
from punktfunk.model.offers import Choice, Offer
from punktfunk.model.session import StreamSample
from punktfunk.model.stream import StreamRequest
from punktfunk.model.video import VideoMode
from punktfunk.stats import sample_of


def runtime_status(
    sessions: Sequence[SessionView], *, paired_clients: int, pin_pending: bool
) -> RuntimeStatus:
    """Sum the sessions up, oldest first."""
    streaming = [session for session in sessions if session.shown.streaming]
    shown = next(iter([*streaming, *sessions]), None)
    return RuntimeStatus(
        video_streaming=bool(streaming),
        audio_streaming=bool(streaming),
        pin_pending=pin_pending,
        paired_clients=paired_clients,
        session=_session_info(shown.mode) if shown else None,
        stream=_stream_info(shown.shown.stream) if shown else None,
        sessions=tuple(_session_status(session) for session in sessions),
    )


def compositors(choice: Choice) -> list[AvailableCompositor]:
    """List the picked one first. What is only for tests drives no output anybody could see."""
    picked = [choice.picked] if choice.picked else []
    ways: dict[str, list[Offer]] = {}
    for offer in (*picked, *(passed.offer for passed in choice.passed_over)):
        if offer.rank > 0:
            ways.setdefault(offer.driver, []).append(offer)
    return [_compositor(offers, choice.picked) for offers in ways.values()]


def _compositor(offers: Sequence[Offer], picked: Offer | None) -> AvailableCompositor:
    best = next((it for it in offers if it.availability.available), offers[0])
    available = best.availability.available
    return AvailableCompositor(
        id=best.driver,
        label=best.title or best.driver,
        available=available,
        default=picked in offers,
        reason="" if available else best.availability.reason,
        hint="" if available else best.availability.hint,
        own=next((it.availability for it in offers if not it.attaches), None),
        attach=next((it.availability for it in offers if it.attaches), None),
    )


def _session_status(session: SessionView) -> SessionStatus:
    owner, shown = session.members[0], session.shown
    return SessionStatus(
        id=session.id,
        app=session.app,
        client=owner.client,
        client_name=owner.client_name,
        width_px=session.mode.width_px,
        height_px=session.mode.height_px,
        fps=round(session.mode.refresh_hz),
        streaming=shown.streaming,
        stream=_stream_info(shown.stream),
        stats=_figures(shown.sample),
        second_client=session.second_client,
        clients=tuple(_client_status(member) for member in session.members),
        app_id=session.app_id,
        started_unix=session.started_unix,
    )


def _client_status(member: MemberView) -> ClientStatus:
    role = "spectator" if member.watches else "guest" if member.guest else "owner"
    return ClientStatus(
        client=member.client,
        client_name=member.client_name,
        role=role,
        stream_id=member.stream_id,
        streaming=member.streaming,
        connected_unix=member.connected_unix,
        stream=_stream_info(member.stream),
        encoding=member.sample.encoding if member.sample else None,
        stats=_figures(member.sample),
    )


def _figures(sample: StreamSample | None) -> StreamFigures | None:
    if sample is None:
        return None
    told = sample_of(sample, 0, 0)
    return StreamFigures(
        fps=told.fps,
        repeat_fps=told.repeat_fps,
        mbps=told.mbps,
        bitrate_kbps=told.bitrate_kbps,
        frames_dropped=told.frames_dropped,
        packets_dropped=told.packets_dropped,
        send_dropped=told.send_dropped,
        fec_recovered=told.fec_recovered,
        latency_p50_us=sample.latency_p50_us,
        latency_p99_us=sample.latency_p99_us,
        stages=sample.stages,
    )


def _session_info(mode: VideoMode) -> SessionInfo:
    return SessionInfo(width_px=mode.width_px, height_px=mode.height_px, fps=round(mode.refresh_hz))


def _stream_info(stream: StreamRequest | None) -> StreamInfo | None:
    if stream is None:
        return None
    return StreamInfo(
        width_px=stream.mode.width_px,
        height_px=stream.mode.height_px,
        fps=round(stream.mode.refresh_hz),
        bitrate_kbps=stream.bitrate_kbps,
        packet_size_bytes=stream.packet_size,
        min_fec_packets=stream.min_fec_packets,
        codec=stream.codec,
        video_encrypted=stream.encrypt_video,
        audio_encrypted=stream.encrypt_audio,
    )
