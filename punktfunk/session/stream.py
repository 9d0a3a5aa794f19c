"""One stream inside a session: its threads, from capture to the wire."""

import logging
import queue
import socket
import threading
import time
from collections.abc import Callable
from typing import Protocol

import attrs

from punktfunk.drivers.audio import AudioEncodeDriver
from punktfunk.drivers.base import Driver
from punktfunk.drivers.capture import CaptureDriver
from punktfunk.drivers.encode import EncodeDriver
from punktfunk.errors import DriverFailed, DriverUnavailable
from punktfunk.gamestream.audio import AudioPacketizer
from punktfunk.gamestream.endpoint import EndpointLearner
from punktfunk.gamestream.video import VideoPacketizer
from punktfunk.model.offers import Kind
from punktfunk.model.session import DriverRef, StreamPlan, StreamSample
from punktfunk.model.video import EncodeParams, PixelFormat
from punktfunk.pixels import Converter
from punktfunk.session.drivers import D, load
from punktfunk.session.endpoints import Endpoint
from punktfunk.session.meter import Meter
from punktfunk.session.picture import QUEUED_FRAMES, FrameQueue, PictureLoop
from punktfunk.session.process import hurry
from punktfunk.session.sender import VideoSender, set_dscp
from punktfunk.session.sound import SoundLoop
from punktfunk.session.stage import Stage
from punktfunk.session.transmit import TransmitLoop

log = logging.getLogger(__name__)

_JOIN_TIMEOUT_S = 3.0
_HANG_LIMIT_NS = 8_000_000_000


@attrs.frozen
class MediaSockets:
    """The session's bound UDP sockets. They outlive streams: a resume uses them again."""

    video: socket.socket
    control: socket.socket
    audio: socket.socket


class Stream:
    """Media of one client connection. Made by `open`, which has tried the encoder already.

    Attributes:
        failure: Why a thread gave up, or None. Looked at by the worker's main loop.
    """

    def __init__(
        self,
        plan: StreamPlan,
        stage: Stage,
        sockets: MediaSockets,
        wake: Callable[[], None],
    ) -> None:
        request = plan.request
        self.plan = plan
        self.meter = Meter()
        self.failure: Exception | None = None
        self.video = Endpoint(sockets.video, _learner(plan), plan.local_ip)
        self.audio = Endpoint(sockets.audio, _learner(plan), plan.local_ip)
        self.encoder_name = ""
        self._wake = wake
        self._stop = threading.Event()
        self._running: list[tuple[threading.Thread, _Loop]] = []
        self._drivers: list[Driver] = []
        self._stage = stage
        set_dscp(sockets.video, request.dscp_video)
        set_dscp(sockets.audio, request.dscp_audio)
        try:
            self._picture, self._transmit = self._open_video()
            self._sound = self._open_audio()
        except BaseException:
            self.close()
            raise

    def start_sound(self) -> None:
        self._run("sound", self._sound, short_work=True)

    def start_picture(self) -> None:
        """Begin to capture and encode; call it once the client's address is known."""
        self._run("transmit", self._transmit, short_work=True)
        self._run("picture", self._picture, short_work=False)

    def request_keyframe(self) -> None:
        self._picture.request_keyframe()

    def invalidate_references(self, first_frame: int, last_frame: int) -> None:
        self._picture.invalidate_references(first_frame, last_frame)

    def allow_ip(self, ip: str) -> None:
        """The client proved that it speaks from this address."""
        self.video.allow_ip(ip)
        self.audio.allow_ip(ip)

    def sample(self) -> StreamSample:
        return self.meter.sample(self.plan.stream_id, self.plan.request.encoder_bitrate_kbps)

    def check(self, now_ns: int) -> None:
        """Raise `DriverFailed` when a driver has not returned for too long."""
        for thread, loop in self._running:
            if now_ns - loop.turned_ns > _HANG_LIMIT_NS:
                raise DriverFailed(f"the {thread.name} thread hangs")

    def close(self) -> str:
        """Stop the threads, then close the drivers they used. Safe to call twice.

        Returns:
            The name of a thread that does not end; its drivers are then left alone, because
            it is inside one. Usually empty.
        """
        self._stop.set()
        deadline = time.monotonic() + _JOIN_TIMEOUT_S
        for thread, _ in self._running:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                return thread.name
        self._running.clear()
        closers = [self._stage.audio.stop, *(driver.close for driver in reversed(self._drivers))]
        self._drivers.clear()
        for close in closers:
            try:
                close()
            except Exception:
                log.exception("a part of the stream did not close")
        return ""

    def _open_video(self) -> tuple[PictureLoop, TransmitLoop]:
        request = self.plan.request
        encoder = self._open_encoder(request.encode_params)
        capture = self._load(CaptureDriver, Kind.CAPTURE, self._stage.plan.capture)
        capture.open(self._stage.seat, self._stage.display, request.mode)
        frames: FrameQueue = queue.Queue(QUEUED_FRAMES)
        picture = PictureLoop(
            mode=request.mode,
            capture=capture,
            encoder=encoder,
            converter=Converter(
                PixelFormat.BGRX,
                encoder.formats[0],
                request.mode.width_px,
                request.mode.height_px,
                request.color,
            ),
            outgoing=frames,
            meter=self.meter,
        )
        transmit = TransmitLoop(
            frames=frames,
            packetizer=VideoPacketizer(
                request.packet_size,
                request.fec_percent,
                request.min_fec_packets,
                self.plan.key if request.encrypt_video else None,
            ),
            sender=VideoSender(self.video.sock),
            endpoint=self.video,
            interval_ns=request.mode.frame_interval_ns,
            meter=self.meter,
            request_keyframe=picture.request_keyframe,
        )
        return picture, transmit

    def _open_encoder(self, params: EncodeParams) -> EncodeDriver:
        """The plan's first encoder, or its second when the first will not open."""
        problem: DriverUnavailable | None = None
        for ref in self._stage.plan.encoders[:2]:
            try:
                encoder = self._load(EncodeDriver, Kind.ENCODE, ref)
                encoder.open(params)
            except DriverUnavailable as error:
                log.warning("encoder passed over: %s", error)
                problem = error
                continue
            self.encoder_name = ref.name
            return encoder
        assert problem is not None
        raise problem

    def _open_audio(self) -> SoundLoop:
        request = self.plan.request
        ref = self._stage.plan.audio_encoder
        encoder = self._load(AudioEncodeDriver, Kind.AUDIO_ENCODE, ref)
        encoder.open(request.audio)
        self._stage.audio.start(request.audio.layout, request.audio.frames_per_packet)
        return SoundLoop(
            audio=self._stage.audio,
            encoder=encoder,
            packetizer=AudioPacketizer(
                request.audio.packet_ms,
                self.plan.key if request.encrypt_audio else None,
                self.plan.key_id,
            ),
            endpoint=self.audio,
            meter=self.meter,
        )

    def _load(self, base: Callable[..., D], kind: Kind, ref: DriverRef) -> D:
        driver = load(base, kind, ref)
        self._drivers.append(driver)
        return driver

    def _run(self, name: str, loop: "_Loop", *, short_work: bool) -> None:
        def guarded() -> None:
            hurry(short_work=short_work)
            try:
                loop.run(self._stop)
            except Exception as error:
                self.failure = error
                self._wake()

        loop.turned_ns = time.monotonic_ns()
        thread = threading.Thread(target=guarded, name=name, daemon=True)
        self._running.append((thread, loop))
        thread.start()


class _Loop(Protocol):
    turned_ns: int
    """When it last came round, CLOCK_MONOTONIC."""

    def run(self, stop: threading.Event) -> None: ...


def _learner(plan: StreamPlan) -> EndpointLearner:
    learner = EndpointLearner(plan.ping_payload, plan.client_ip)
    if not plan.request.client_knows_ping_payload:
        learner.allow_legacy_ping()
    return learner
