"""What the host does, in the text format that Prometheus reads. Made anew for each scrape."""

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from punktfunk import __version__
from punktfunk.mgmt.host import MgmtHost
from punktfunk.mgmt.values import MemberView, SessionView
from punktfunk.model.session import StreamSample
from punktfunk.registry.report import PluginReport
from punktfunk.stats import label_of, per_second

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_STREAM = ("session", "client")
_COUNTERS = {
    "frames_new": ("frames_new", "Pictures that differed from the one before"),
    "frames_repeated": ("frames_repeated", "Pictures sent again because nothing had changed"),
    "frames_dropped": ("frames_dropped", "Captured pictures that were never sent"),
    "keyframes": ("keyframes", "Pictures a client can start at"),
    "sent_bytes": ("bytes_sent", "Picture and parity, without IP and UDP headers"),
    "packets_sent": ("packets_sent", "Packets of the picture and its parity"),
    "packets_refused": ("packets_dropped", "Packets that the kernel did not take"),
    "audio_packets_sent": ("audio_packets", "Packets of sound and its parity"),
    "client_frames_lost": ("client_frames_lost", "Pictures the client says it lost"),
    "client_packets_missing": ("client_packets_missing", "Packets the client says it did not get"),
    "client_packets_recovered": ("client_packets_recovered", "Of those, rebuilt from parity"),
    "messages_rejected": ("rejected_messages", "Control messages that something was wrong with"),
}


def exposition(host: MgmtHost) -> bytes:
    """Ask the host once and write all of it down."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_HostCollector(host))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _HostCollector(Collector):
    def __init__(self, host: MgmtHost) -> None:
        self._host = host

    def collect(self) -> Iterable[Metric]:
        host, sessions = self._host, self._host.sessions()
        yield _one("punktfunk_info", "This program", 1, version=__version__)
        yield _one("punktfunk_sessions", "Sessions that run", len(sessions))
        streams = [
            (_labels(view, member), member.sample)
            for view in sessions
            for member in view.members
            if member.sample is not None
        ]
        yield _one("punktfunk_streams", "Clients that are connected", len(streams))
        yield _one("punktfunk_encoders", "Encoders that work for them", _encoders(sessions))
        yield _one("punktfunk_paired_clients", "Devices that may stream", len(host.clients()))
        waiting = len(host.pending_pairings())
        yield _one("punktfunk_pairings_waiting", "Devices that wait for a PIN", waiting)
        yield from _plugins(host.operations.plugins())
        capture = host.stats.status()
        yield _one("punktfunk_capture_armed", "A capture runs", int(capture.armed))
        yield _one("punktfunk_capture_samples", "Samples it has", capture.sample_count)
        yield from _latest(streams)
        yield from _totals(sessions)


def _one(name: str, words: str, value: float, **labels: str) -> Metric:
    family = GaugeMetricFamily(name, words, labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family


def _plugins(reports: Iterable[PluginReport]) -> Iterator[Metric]:
    family = GaugeMetricFamily("punktfunk_plugin", "Its state", labels=["plugin", "state"])
    for report in reports:
        family.add_metric([report.record.name, report.record.state], 1)
    yield family


def _latest(streams: Sequence[tuple[list[str], StreamSample]]) -> Iterator[Metric]:
    """What each stream did in the last second."""
    fps = GaugeMetricFamily("punktfunk_stream_fps", "New pictures a second", labels=_STREAM)
    target = GaugeMetricFamily(
        "punktfunk_stream_target_bits_per_second", "What the encoder may spend", labels=_STREAM
    )
    latency = GaugeMetricFamily(
        "punktfunk_stream_latency_seconds",
        "From capture to the last packet, without the encoder and intended pauses",
        labels=(*_STREAM, "quantile"),
    )
    stages = GaugeMetricFamily(
        "punktfunk_stream_stage_seconds", "A stage's time", labels=(*_STREAM, "stage", "quantile")
    )
    for labels, sample in streams:
        fps.add_metric(labels, per_second(sample.frames_new, sample))
        target.add_metric(labels, sample.bitrate_kbps * 1_000)
        latency.add_metric([*labels, "0.5"], sample.latency_p50_us / 1e6)
        latency.add_metric([*labels, "0.99"], sample.latency_p99_us / 1e6)
        for stage in sample.stages:
            stages.add_metric([*labels, stage.name, "0.5"], stage.p50_us / 1e6)
            stages.add_metric([*labels, stage.name, "0.99"], stage.p99_us / 1e6)
    yield from (fps, target, latency, stages)


def _totals(sessions: Sequence[SessionView]) -> Iterator[Metric]:
    """What the streams of each client have done in all."""
    for name, (counted, words) in _COUNTERS.items():
        family = CounterMetricFamily(f"punktfunk_stream_{name}", words, labels=_STREAM)
        for view in sessions:
            for member in view.members:
                family.add_metric(_labels(view, member), member.totals.counts[counted])
        yield family


def _encoders(sessions: Iterable[SessionView]) -> int:
    samples = ((view.id, it.sample) for view in sessions for it in view.members)
    return len({(number, sample.encoding) for number, sample in samples if sample is not None})


def _labels(view: SessionView, member: MemberView) -> list[str]:
    return [str(view.id), label_of(member.client)]
