"""From what the host knows to what the API says. Pure."""

from collections.abc import Sequence

from punktfunk.mgmt.values import (
    AvailableCompositor,
    RuntimeStatus,
    SessionInfo,
    SessionStatus,
    SessionView,
    StreamFigures,
    StreamInfo,
)
from punktfunk.model.offers import Choice, Offer
from punktfunk.model.stream import StreamRequest
from punktfunk.model.video import VideoMode
from punktfunk.stats import sample_of


def runtime_status(
    sessions: Sequence[SessionView], *, paired_clients: int, pin_pending: bool
) -> RuntimeStatus:
    """Sum the sessions up, oldest first."""
    streaming = [session for session in sessions if session.streaming]
    shown = next(iter([*streaming, *sessions]), None)
    return RuntimeStatus(
        video_streaming=bool(streaming),
        audio_streaming=bool(streaming),
        pin_pending=pin_pending,
        paired_clients=paired_clients,
        session=_session_info(shown.mode) if shown else None,
        stream=_stream_info(shown.stream) if shown else None,
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
    return SessionStatus(
        id=session.id,
        app=session.app,
        client=session.client,
        client_name=session.client_name,
        width_px=session.mode.width_px,
        height_px=session.mode.height_px,
        fps=round(session.mode.refresh_hz),
        streaming=session.streaming,
        stream=_stream_info(session.stream),
        stats=_figures(session),
    )


def _figures(session: SessionView) -> StreamFigures | None:
    sample = session.sample
    if sample is None:
        return None
    told = sample_of(sample, session.id, 0)
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
    )
