"""A recording as bytes: one JSON document, laid out so that its head is read alone.

The first line is the version, the second the summary, then comes a sample a line, and the
last line shows that the file is whole.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any, NoReturn

import attrs

from punktfunk.errors import PunktfunkError
from punktfunk.model.session import StageTiming
from punktfunk.stats.samples import MAX_STAGES, Capture, CaptureMeta, StatsSample

MAX_HEAD_BYTES = 4_096
MAX_ID_CHARS = 64
TAIL = b"\n]}\n"

_VERSION_LINE = b'{"version":1,'
_META_START, _META_END = b'"meta":', b","
_SAMPLES_LINE = b'"samples":['
_ID = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{MAX_ID_CHARS - 1}}}", re.ASCII)
_LATEST_UNIX_MS = 253_402_300_799_000
_MAX_US = 2**53
_SAMPLE_MEMBERS = frozenset(field.name for field in attrs.fields(StatsSample)) - {"client"}


class RecordingDamaged(PunktfunkError):
    """A recording's file cannot be read as one."""

    code = "recording_damaged"


def is_id(text: str) -> bool:
    """Tell whether a recording can have this id: a word, so never a way to another folder."""
    return _ID.fullmatch(text) is not None


def name_of(started_unix_ms: int, width: int, height: int) -> str:
    """Make an id such as `2026-06-26T20-14-03Z_5120x1440`."""
    began = datetime.fromtimestamp(min(started_unix_ms, _LATEST_UNIX_MS) / 1_000, UTC)
    return f"{began:%Y-%m-%dT%H-%M-%SZ}_{width}x{height}"


def line_of(sample: StatsSample) -> bytes:
    return _dump(attrs.asdict(sample))


def as_json(capture: Capture) -> bytes:
    """The capture as the API tells it."""
    return b'{"meta":%b,"samples":[%b]}' % (
        _dump(attrs.asdict(capture.meta)),
        b",".join(capture.samples),
    )


def as_file(capture: Capture) -> bytes:
    meta = _META_START + _dump(attrs.asdict(capture.meta)) + _META_END
    return b"\n".join((_VERSION_LINE, meta, _SAMPLES_LINE, b",\n".join(capture.samples))) + TAIL


def parse_head(head: bytes, recording_id: str) -> CaptureMeta:
    """Read the summary from a file's first `MAX_HEAD_BYTES`.

    Args:
        recording_id: The file's stem; a file that was renamed has a new id.

    Raises:
        RecordingDamaged: there is none.
    """
    lines = head.split(b"\n", 3)
    if len(lines) < 4 or lines[0] != _VERSION_LINE or lines[2] != _SAMPLES_LINE:
        raise RecordingDamaged("it does not begin like a recording of this version")
    meta = lines[1].removeprefix(_META_START).removesuffix(_META_END)
    plain = _load(meta)
    try:
        known = {field.name: plain[field.name] for field in attrs.fields(CaptureMeta)}
        return CaptureMeta(**{**known, "id": recording_id})
    except (KeyError, TypeError, ValueError) as error:
        raise RecordingDamaged("its summary is not one") from error


def parse_file(data: bytes, recording_id: str) -> Capture:
    """Read a whole file.

    Raises:
        RecordingDamaged: something in it is not as `as_file` makes it.
    """
    meta = parse_head(data[:MAX_HEAD_BYTES], recording_id)
    if not data.endswith(TAIL):
        raise RecordingDamaged("its end is missing")
    body = data.split(b"\n", 3)[3].removesuffix(TAIL)
    lines = body.split(b",\n") if body else []
    if len(lines) != meta.sample_count:
        raise RecordingDamaged("it has not as many samples as its summary says")
    for line in lines:
        _check_sample(line)
    return Capture(meta, tuple(lines))


def _check_sample(line: bytes) -> None:
    plain = _load(line)
    try:
        stages = plain["stages"]
        if not isinstance(stages, list) or len(stages) > MAX_STAGES:
            raise TypeError
        known = {name: plain[name] for name in _SAMPLE_MEMBERS}
        StatsSample(
            **{**known, "stages": tuple(map(_stage, stages)), "client": plain.get("client", "")}
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RecordingDamaged("one of its samples is not one") from error


def _stage(plain: Any) -> StageTiming:
    stage = StageTiming(name=plain["name"], p50_us=plain["p50_us"], p99_us=plain["p99_us"])
    times_us = (stage.p50_us, stage.p99_us)
    if type(stage.name) is not str or not all(
        type(time_us) in (int, float) and 0 <= time_us < _MAX_US for time_us in times_us
    ):
        raise TypeError
    return stage


def _load(text: bytes) -> Any:
    try:
        return json.loads(text.decode(), parse_constant=_no_such_number)
    except (ValueError, RecursionError) as error:
        raise RecordingDamaged("it is not JSON") from error


def _dump(plain: object) -> bytes:
    return json.dumps(plain, separators=(",", ":")).encode()


def _no_such_number(text: str) -> NoReturn:
    raise ValueError(f"JSON has no {text}")
