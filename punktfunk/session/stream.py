"""One client's stream inside a session: what it has of its own, from encoded frames to the wire."""

import socket
from collections.abc import Callable, Iterator

import attrs

from punktfunk.gamestream.audio import AudioPacketizer
from punktfunk.gamestream.endpoint import EndpointLearner
from punktfunk.gamestream.video import VideoPacketizer
from punktfunk.model.session import StreamPlan, StreamSample
from punktfunk.model.video import VideoMode
from punktfunk.session.endpoints import Endpoint
from punktfunk.session.meter import Meter
from punktfunk.session.outlet import Outlet
from punktfunk.session.sender import VideoSender, set_dscp
from punktfunk.session.sound import Listener
from punktfunk.session.studio import Studio
from punktfunk.session.threads import LoopThread
from punktfunk.session.transmit import TransmitLoop


@attrs.frozen
class MediaSockets:
    """A client's three bound UDP sockets."""

    video: socket.socket
    control: socket.socket
    audio: socket.socket

    def __iter__(self) -> Iterator[socket.socket]:
        return iter((self.video, self.control, self.audio))

    def close(self) -> None:
        for sock in self:
            sock.close()


class Stream:
    """Media of one client connection. Has its encoder and its sound when it is made.

    Args:
        camera_mode: What to capture, if nothing is captured yet.
        meanwhile: Called again and again while it is made beside others.
    """

    def __init__(
        self,
        plan: StreamPlan,
        studio: Studio,
        sockets: MediaSockets,
        wake: Callable[[], None],
        camera_mode: VideoMode,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        request = plan.request
        self.plan = plan
        self.meter = Meter()
        self.video = Endpoint(sockets.video, _learner(plan), plan.local_ip)
        self.audio = Endpoint(sockets.audio, _learner(plan), plan.local_ip)
        self._studio = studio
        self._outlet = Outlet(self.meter)
        self._listener = Listener(
            AudioPacketizer(
                request.audio.packet_ms, plan.key if request.encrypt_audio else None, plan.key_id
            ),
            self.audio,
            self.meter,
        )
        self._closed = False
        set_dscp(sockets.video, request.dscp_video)
        set_dscp(sockets.audio, request.dscp_audio)
        self._encoding = studio.join(self._outlet, request.encode_params, camera_mode, meanwhile)
        try:
            studio.listen(request.audio, self._listener)
            self._transmit = LoopThread("transmit", self._make_transmit(), wake, short_work=True)
        except BaseException:
            studio.stop_listening(self._listener)
            studio.leave(self._outlet, self._encoding)
            raise

    @property
    def encoder_name(self) -> str:
        return self._encoding.name

    @property
    def failure(self) -> Exception | None:
        """Why this stream cannot go on, whatever becomes of others."""
        return self._transmit.failure or self._studio.failure_of(self._encoding)

    def start_picture(self) -> None:
        """Begin to send pictures; call it once the client's address is known."""
        self._transmit.start()
        self._studio.start(self._outlet, self._encoding)

    def request_keyframe(self) -> None:
        self._encoding.request_keyframe()

    def invalidate_references(self, first_frame: int, last_frame: int) -> None:
        self._encoding.invalidate_references(self._outlet, first_frame, last_frame)

    def allow_ip(self, ip: str) -> None:
        """The client proved that it speaks from this address."""
        self.video.allow_ip(ip)
        self.audio.allow_ip(ip)

    def sample(self) -> StreamSample:
        encoding = self._encoding
        return self.meter.sample(self.plan.stream_id, encoding.bitrate_kbps, encoding.number)

    def check(self, now_ns: int) -> None:
        """Raise `DriverFailed` when its sender has not returned for too long."""
        self._transmit.check(now_ns)

    def close(self) -> str:
        """Stop sending, and give back what nobody else uses. Safe to call twice.

        Returns:
            The name of a thread that does not end, see `Studio.leave`.
        """
        if self._closed:
            return ""
        self._closed = True
        self._outlet.close()
        return (
            self._transmit.stop()
            or self._studio.leave(self._outlet, self._encoding)
            or self._studio.stop_listening(self._listener)
        )

    def _make_transmit(self) -> TransmitLoop:
        request = self.plan.request
        return TransmitLoop(
            outlet=self._outlet,
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
            request_keyframe=self._encoding.request_keyframe,
        )


def _learner(plan: StreamPlan) -> EndpointLearner:
    learner = EndpointLearner(plan.ping_payload, plan.client_ip)
    if not plan.request.client_knows_ping_payload:
        learner.allow_legacy_ping()
    return learner
