"""One stream of the real client library: callbacks in, statistics and events out."""

import ctypes
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, NamedTuple

import moonlight_library as core
from client_failure import ClientFailure
from moonlight_audio import AudioPipeline, OpusError, OpusLayout
from moonlight_video import Unit, VideoPipeline

LOG_LINES = 400
EVENT_CAP = 500
FRAME_TYPE_IDR = 1

# What the library says in its log and nowhere else; counted for the whole stream.
TELLING_LINES = {
    "frames_unrecoverable": "Unrecoverable frame",
    "frames_dropped": "Network dropped 1 frame",
    "frame_runs_dropped": "frames (frames ",
    "waits_for_idr": "Waiting for IDR frame",
    "waits_for_invalidation": "Waiting for RFI frame",
    "idr_requests": "IDR frame request sent",
    "invalidation_requests": "Invalidate reference frame request sent",
    "corrupt_frames": "Depacketizer detected corrupt frame",
    "audio_blocks_unrecoverable": "Unable to recover audio data block",
    "audio_fec_switched_off": "Audio block size mismatch",
    "undecryptable": "Failed to decrypt",
}

Emit = Callable[[dict[str, Any]], None]


class StreamRequest(NamedTuple):
    """What `start` asks of the library."""

    address: str
    session_url: str
    app_version: str
    gfe_version: str
    codec_mode_support: int
    key: bytes
    iv: bytes
    width: int
    height: int
    fps: int
    bitrate_kbps: int
    packet_size: int
    codecs: tuple[str, ...]
    audio: str
    encryption: str
    remote: int
    refresh_x100: int
    colour_space: int
    full_range: bool
    slices: int
    invalidation: bool
    slow_audio: bool
    any_audio_duration: bool


class Stream:
    """At most one lives in a process at a time: the library's state is global."""

    def __init__(self, library: Any, emit: Emit) -> None:
        self._library = library
        self._emit = emit
        self._lock = threading.Lock()
        self._events: deque[dict[str, Any]] = deque(maxlen=EVENT_CAP)
        self._event_counts: Counter[str] = Counter()
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self._logged: Counter[str] = Counter()
        self.video: VideoPipeline | None = None
        self.audio: AudioPipeline | None = None
        self.video_format = 0
        self.state = "new"
        self.termination_code: int | None = None
        self.failed_stage: tuple[int, int] | None = None
        self._failure_reason = ""
        self.stage_times_ms: dict[str, float] = {}
        self.started_ns = 0
        self.connected_ns: int | None = None
        self._pull: threading.Thread | None = None
        self._ended = threading.Event()
        self._kept: tuple[Any, ...] = ()

    def start(self, request: StreamRequest) -> None:
        """Connect; raises ClientFailure with the library's stage and error code."""
        self.state = "connecting"
        self.started_ns = time.monotonic_ns()
        server = self._server(request)
        configuration = self._configuration(request)
        connection = self._connection_callbacks()
        video = self._video_callbacks(request)
        audio = self._audio_callbacks(request)
        self._kept = (server, configuration, connection, video, audio)
        result = self._library.LiStartConnection(
            *(ctypes.byref(value) for value in self._kept), None, 0, None, 0
        )
        if result == 0:
            with self._lock:
                if self.state == "connecting":
                    self.state = "streaming"
            return
        self.state = "failed"
        self._close_pipelines()
        stage, code = self.failed_stage or (0, result)
        raise ClientFailure(
            "connection",
            core.stage_name(self._library, stage),
            self._failure_reason or "the library gave no reason",
            code,
        )

    def stop(self) -> None:
        """Say goodbye as a client that the user closes; safe to call again."""
        with self._lock:
            if self.state in ("new", "failed", "stopped", "stopping"):
                return
            was = self.state
            self.state = "stopping"
        self._library.LiStopConnection()
        if self._pull is not None:
            self._pull.join(timeout=5)
        self._close_pipelines()
        with self._lock:
            self.state = "stopped"
        self._note("stopped", was=was)

    def wait_ended(self, timeout_s: float) -> bool:
        """Whether the host or the network ended the stream within the time."""
        return self._ended.wait(timeout_s)

    def send(self, function: str, *arguments: Any) -> None:
        """Call one LiSend function; raises ClientFailure with its error code."""
        if self.state != "streaming":
            raise ClientFailure("state", function, f"no stream is running (state {self.state})")
        code = getattr(self._library, function)(*arguments)
        if code != 0:
            raise ClientFailure("input", function, "the library refused the input", code)

    def request_idr(self) -> None:
        self._library.LiRequestIdrFrame()

    def reset_statistics(self) -> None:
        for pipeline in (self.video, self.audio):
            if pipeline is not None:
                pipeline.reset()

    def statistics(self) -> dict[str, Any]:
        with self._lock:
            events = list(self._events)
            counts = dict(self._event_counts)
        return {
            "state": self.state,
            "termination_code": self.termination_code,
            "termination": core.TERMINATION_NAMES.get(self.termination_code or 0, "host code")
            if self.termination_code is not None
            else None,
            "codec": core.codec_name(self.video_format) if self.video_format else None,
            "video_format": self.video_format,
            "stage_ms": dict(self.stage_times_ms),
            "connected_ms": self._since_start_ms(self.connected_ns),
            "first_frame_ms": self._since_start_ms(self.video and self.video.first_received_ns),
            "first_decoded_ms": self._since_start_ms(self.video and self.video.first_decoded_ns),
            "first_audio_ms": self._since_start_ms(self.audio and self.audio.first_packet_ns),
            "network": self._network(),
            "events": events,
            "event_counts": counts,
            "video": self.video.statistics() if self.video else None,
            "audio": self.audio.statistics() if self.audio else None,
        }

    def _network(self) -> dict[str, Any]:
        rtt, variance = ctypes.c_uint32(), ctypes.c_uint32()
        known = self.state == "streaming" and self._library.LiGetEstimatedRttInfo(
            ctypes.byref(rtt), ctypes.byref(variance)
        )
        return {
            "rtt_ms": rtt.value if known else None,
            "rtt_variance_ms": variance.value if known else None,
            "host_feature_flags": self._library.LiGetHostFeatureFlags(),
            "video_packets": self._video_packets(),
            "audio_packets": _fields(self._library.LiGetRTPAudioStats().contents),
            "logged": dict(self._logged),
        }

    def _video_packets(self) -> dict[str, int]:
        # Of the video counters this library keeps only the first two up to date.
        found = self._library.LiGetRTPVideoStats().contents
        return {"data": found.data, "fec": found.fec}

    def _server(self, request: StreamRequest) -> core.ServerInformation:
        server = core.initialised(
            core.ServerInformation, self._library.LiInitializeServerInformation
        )
        server.address = request.address.encode()
        server.app_version = request.app_version.encode()
        server.gfe_version = request.gfe_version.encode() or None
        server.rtsp_session_url = request.session_url.encode()
        server.codec_mode_support = request.codec_mode_support
        return server

    def _configuration(self, request: StreamRequest) -> core.StreamConfiguration:
        configuration = core.initialised(
            core.StreamConfiguration, self._library.LiInitializeStreamConfiguration
        )
        channels, mask = core.CHANNEL_LAYOUTS[request.audio]
        configuration.width = request.width
        configuration.height = request.height
        configuration.fps = request.fps
        configuration.bitrate = request.bitrate_kbps
        configuration.packet_size = request.packet_size
        configuration.streaming_remotely = request.remote
        configuration.audio_configuration = mask << 16 | channels << 8 | 0xCA
        configuration.supported_video_formats = sum(core.CODECS[name] for name in request.codecs)
        configuration.client_refresh_rate_x100 = request.refresh_x100
        configuration.color_space = request.colour_space
        configuration.color_range = int(request.full_range)
        configuration.encryption_flags = core.ENCRYPTION[request.encryption]
        configuration.remote_input_key[:] = request.key
        configuration.remote_input_iv[:] = request.iv
        return configuration

    def _video_callbacks(self, request: StreamRequest) -> core.VideoCallbacks:
        callbacks = core.initialised(core.VideoCallbacks, self._library.LiInitializeVideoCallbacks)

        def setup(video_format: int, *_rest: Any) -> int:
            self.video_format = video_format
            self.video = VideoPipeline(core.codec_name(video_format), self.request_idr)
            return 0

        def begin() -> None:
            self._pull = threading.Thread(target=self._pull_frames, name="pull", daemon=True)
            self._pull.start()

        kinds = dict(core.VideoCallbacks._fields_)
        callbacks.setup = kinds["setup"](setup)
        callbacks.start = kinds["start"](begin)
        callbacks.capabilities = core.PULL_RENDERER | request.slices << 24
        if request.invalidation:
            callbacks.capabilities |= core.REFERENCE_INVALIDATION
        return callbacks

    def _audio_callbacks(self, request: StreamRequest) -> core.AudioCallbacks:
        callbacks = core.initialised(core.AudioCallbacks, self._library.LiInitializeAudioCallbacks)

        def begin(_configuration: int, opus: Any, *_rest: Any) -> int:
            found = opus.contents
            layout = OpusLayout(
                found.sample_rate_hz,
                found.channels,
                found.streams,
                found.coupled_streams,
                found.samples_per_frame,
                tuple(found.mapping[: found.channels]),
            )
            try:
                self.audio = AudioPipeline(layout)
            except (OSError, OpusError) as error:
                self._log(f"audio decoder: {error}")
                return -1
            return 0

        def play(data: int | None, length: int) -> None:
            if self.audio is not None:
                lost = length <= 0 or data is None
                self.audio.submit(None if lost else ctypes.string_at(data, length))

        kinds = dict(core.AudioCallbacks._fields_)
        callbacks.init = kinds["init"](begin)
        callbacks.play = kinds["play"](play)
        callbacks.capabilities = core.DIRECT_SUBMIT
        if request.slow_audio:
            callbacks.capabilities |= core.SLOW_AUDIO_DECODER
        if request.any_audio_duration:
            callbacks.capabilities |= core.ANY_AUDIO_DURATION
        return callbacks

    def _connection_callbacks(self) -> core.ConnectionCallbacks:
        callbacks = core.initialised(
            core.ConnectionCallbacks, self._library.LiInitializeConnectionCallbacks
        )
        kinds = dict(core.ConnectionCallbacks._fields_)
        for name in kinds:
            setattr(callbacks, name, kinds[name](getattr(self, f"_on_{name}")))
        return callbacks

    def _on_stage_starting(self, stage: int) -> None:
        self._emit_only("stage_starting", stage=core.stage_name(self._library, stage))

    def _on_stage_complete(self, stage: int) -> None:
        name = core.stage_name(self._library, stage)
        self.stage_times_ms[name] = self._since_start_ms(time.monotonic_ns()) or 0.0
        self._emit_only("stage_complete", stage=name)

    def _on_stage_failed(self, stage: int, code: int) -> None:
        self.failed_stage = (stage, code)
        told = [line for line in list(self.log)[-6:] if not line.endswith(("...", "done"))]
        self._failure_reason = "; ".join(told)
        self._note("stage_failed", stage=core.stage_name(self._library, stage), code=code)

    def _on_connection_started(self) -> None:
        self.connected_ns = time.monotonic_ns()
        self._note("connected")

    def _on_connection_terminated(self, code: int) -> None:
        self.termination_code = code
        with self._lock:
            self.state = "terminated"
        self._note("terminated", code=code, reason=core.TERMINATION_NAMES.get(code, "host code"))
        self._ended.set()
        # The library may not be stopped from its own callback; every real client stops it now.
        threading.Thread(target=self.stop, name="stop", daemon=True).start()

    def _on_log_message(self, template: bytes, *words: int) -> None:
        self._log(core.format_log(template, words))

    def _on_rumble(self, pad: int, low: int, high: int) -> None:
        self._note("rumble", pad=pad, low=low, high=high)

    def _on_rumble_triggers(self, pad: int, left: int, right: int) -> None:
        self._note("rumble_triggers", pad=pad, left=left, right=right)

    def _on_set_motion_state(self, pad: int, kind: int, rate_hz: int) -> None:
        self._note("motion_state", pad=pad, kind=kind, rate_hz=rate_hz)

    def _on_set_led(self, pad: int, red: int, green: int, blue: int) -> None:
        self._note("led", pad=pad, rgb=[red, green, blue])

    def _on_set_adaptive_triggers(
        self, pad: int, flags: int, left_type: int, right_type: int, left: Any, right: Any
    ) -> None:
        self._note(
            "adaptive_triggers",
            pad=pad,
            flags=flags,
            left_type=left_type,
            right_type=right_type,
            left=bytes(left.contents).hex(),
            right=bytes(right.contents).hex(),
        )

    def _on_set_hdr_mode(self, enabled: bool) -> None:
        metadata = core.HdrMetadata()
        known = self._library.LiGetHdrMetadata(ctypes.byref(metadata))
        self._note("hdr", enabled=enabled, metadata=list(metadata.values) if known else None)

    def _on_connection_status(self, status: int) -> None:
        self._note("connection_status", status="okay" if status == 0 else "poor")

    def _pull_frames(self) -> None:
        handle = ctypes.c_void_p()
        unit = ctypes.POINTER(core.DecodeUnit)()
        announced = False
        while self._library.LiWaitForNextVideoFrame(ctypes.byref(handle), ctypes.byref(unit)):
            found = unit.contents
            taken = Unit(
                frame_number=found.frame_number,
                is_idr=found.frame_type == FRAME_TYPE_IDR,
                host_latency_ms=found.host_latency_tenth_ms / 10,
                rtp_timestamp=found.rtp_timestamp,
                received_ns=time.monotonic_ns(),
                data=core.unit_bytes(found),
            )
            self._library.LiCompleteVideoFrame(handle, 0)
            if self.video is not None:
                self.video.submit(taken)
            if not announced:
                announced = True
                self._note("first_frame", frame=taken.frame_number, bytes=len(taken.data))

    def _close_pipelines(self) -> None:
        for pipeline in (self.video, self.audio):
            if pipeline is not None:
                pipeline.close()

    def _note(self, name: str, **fields: Any) -> None:
        event = {"event": name, "t_ms": self._since_start_ms(time.monotonic_ns()), **fields}
        with self._lock:
            self._events.append(event)
            self._event_counts[name] += 1
        self._emit(event)

    def _emit_only(self, name: str, **fields: Any) -> None:
        self._emit({"event": name, "t_ms": self._since_start_ms(time.monotonic_ns()), **fields})

    def _log(self, line: str) -> None:
        self.log.append(line)
        self._logged.update(name for name, words in TELLING_LINES.items() if words in line)
        print(f"{time.monotonic():.3f} {line}", file=sys.stderr, flush=True)

    def _since_start_ms(self, when_ns: int | None) -> float | None:
        return None if when_ns is None else round((when_ns - self.started_ns) / 1e6, 3)


def _fields(stats: core.RtpStats) -> dict[str, int]:
    return {name: getattr(stats, name) for name, _kind in stats._fields_}
