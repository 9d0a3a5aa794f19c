"""What streams did: measured once a second, kept while somebody wants it."""

from punktfunk.stats.capture import Stats
from punktfunk.stats.recording_file import as_json
from punktfunk.stats.samples import (
    Capture,
    CaptureMeta,
    StatsSample,
    StatsStatus,
    StreamLabel,
    label_of,
    per_second,
    sample_of,
)
from punktfunk.stats.totals import SessionTotals

__all__ = [
    "Capture",
    "CaptureMeta",
    "SessionTotals",
    "Stats",
    "StatsSample",
    "StatsStatus",
    "StreamLabel",
    "as_json",
    "label_of",
    "per_second",
    "sample_of",
]
