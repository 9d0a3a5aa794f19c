"""What a session's streams have done in all, for whoever counts himself."""

import attrs

from punktfunk.model.session import StreamSample

COUNTED = (
    "frames_new",
    "frames_repeated",
    "frames_dropped",
    "keyframes",
    "bytes_sent",
    "packets_sent",
    "packets_dropped",
    "audio_packets",
    "client_frames_lost",
    "client_packets_missing",
    "client_packets_recovered",
    "rejected_messages",
)


@attrs.define
class SessionTotals:
    """Sums of a sample's members, by the names in `COUNTED`; they never fall."""

    counts: dict[str, int] = attrs.field(factory=lambda: dict.fromkeys(COUNTED, 0))

    def add(self, sample: StreamSample) -> None:
        for name in COUNTED:
            self.counts[name] += max(0, getattr(sample, name))
