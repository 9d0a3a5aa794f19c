"""Recordings in a folder of their own, one file each. Everything here blocks on the disk."""

import contextlib
import errno
import itertools
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import attrs

from punktfunk.errors import ConfigError, PunktfunkError, Refused
from punktfunk.stats.recording_file import (
    MAX_HEAD_BYTES,
    TAIL,
    RecordingDamaged,
    as_file,
    is_id,
    parse_file,
    parse_head,
)
from punktfunk.stats.samples import Capture, CaptureMeta
from punktfunk.trust.files import make_private_folder, write_atomically

FOLDER = "captures"
MAX_RECORDINGS = 200
MAX_FILE_BYTES = 16 * 1024 * 1024

_SUFFIX = ".json"
_OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

log = logging.getLogger(__name__)


class DiskRefused(PunktfunkError):
    """A recording could not be written, read or deleted."""

    code = "disk_refused"


class NoSuchRecording(Refused):
    """No recording has that id; whatever is no id names none."""

    code = "no_such_recording"

    def __init__(self) -> None:
        super().__init__("there is no recording with that id", status=404)


class Recordings:
    """What was captured and saved.

    Args:
        folder: Made when it is not there, and closed to everybody else.

    Raises:
        ConfigError: the folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        make_private_folder(folder)
        self._folder = folder
        self._told: set[str] = set()
        for litter in folder.glob(f".*{_SUFFIX}.*.tmp"):  # a host was killed while it wrote
            with contextlib.suppress(OSError):
                litter.unlink()

    def check_room(self) -> None:
        """Raises Refused: there are `MAX_RECORDINGS` already."""
        if sum(1 for _ in self._ids()) >= MAX_RECORDINGS:
            raise Refused(
                f"there are {MAX_RECORDINGS} recordings already: delete some first", status=409
            )

    def save(self, capture: Capture) -> CaptureMeta:
        """Write a capture; its id becomes one that no other has.

        Raises:
            DiskRefused: nothing of it is there.
        """
        taken = set(self._ids())
        wanted = capture.meta.id
        numbered = itertools.chain([wanted], (f"{wanted}-{count}" for count in itertools.count(2)))
        meta = attrs.evolve(capture.meta, id=next(it for it in numbered if it not in taken))
        with _disk("the recording could not be written"):
            make_private_folder(self._folder)
            write_atomically(self._path(meta.id), as_file(Capture(meta, capture.samples)))
        return meta

    def summaries(self) -> list[CaptureMeta]:
        """Of all, newest first. A damaged file is left out, and named in the log once."""
        found = []
        damaged = set()
        # As many again as we would write: somebody may have put some there.
        for recording_id in sorted(self._ids(), reverse=True)[: 2 * MAX_RECORDINGS]:
            try:
                found.append(self._head(recording_id))
            except NoSuchRecording:
                continue
            except (RecordingDamaged, OSError) as error:
                damaged.add(recording_id)
                if recording_id not in self._told:
                    log.warning("recording %s is left out: %s", recording_id, error)
        self._told = damaged
        return sorted(found, key=lambda meta: (meta.started_unix_ms, meta.id), reverse=True)

    def get(self, recording_id: str) -> Capture:
        """Read a recording.

        Raises:
            NoSuchRecording: there is none.
            RecordingDamaged: it is no longer what was written.
            DiskRefused: it cannot be read.
        """
        with _disk("the recording cannot be read"), self._open(recording_id) as file:
            data = file.read(MAX_FILE_BYTES + 1)
        try:
            if len(data) > MAX_FILE_BYTES:
                raise RecordingDamaged("it is far too long")
            return parse_file(data, recording_id)
        except RecordingDamaged as error:
            raise RecordingDamaged(f"recording {recording_id} is damaged: {error}") from error

    def delete(self, recording_id: str) -> None:
        """Remove a recording, damaged or not.

        Raises:
            NoSuchRecording: there is none.
            DiskRefused: it is still there.
        """
        with _disk("the recording could not be deleted"), _gone_is_none():
            path = self._path(recording_id)
            if not stat.S_ISREG(path.lstat().st_mode):
                raise NoSuchRecording
            path.unlink()

    def _head(self, recording_id: str) -> CaptureMeta:
        with self._open(recording_id) as file:
            head = file.read(MAX_HEAD_BYTES)
            file.seek(max(0, os.fstat(file.fileno()).st_size - len(TAIL)))
            if file.read(len(TAIL)) != TAIL:
                raise RecordingDamaged("its end is missing")
        return parse_head(head, recording_id)

    def _open(self, recording_id: str) -> BinaryIO:
        with _gone_is_none():
            descriptor = os.open(self._path(recording_id), _OPEN_FLAGS)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise NoSuchRecording
        return open(descriptor, "rb")  # noqa: PTH123 - a descriptor, not a path

    def _path(self, recording_id: str) -> Path:
        if not is_id(recording_id):
            raise NoSuchRecording
        return self._folder / f"{recording_id}{_SUFFIX}"

    def _ids(self) -> Iterator[str]:
        """In no order. Whatever else lies there is none of ours."""
        try:
            entries = os.listdir(self._folder)  # noqa: PTH208 - names are all we want
        except FileNotFoundError:
            return
        for name in entries:
            stem = name.removesuffix(_SUFFIX)
            if name != stem and is_id(stem):
                yield stem


@contextlib.contextmanager
def _disk(what: str) -> Iterator[None]:
    try:
        yield
    except (ConfigError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DiskRefused(f"{what}: {reason}") from error


@contextlib.contextmanager
def _gone_is_none() -> Iterator[None]:
    """A link is not followed, so it is not there either."""
    try:
        yield
    except (FileNotFoundError, IsADirectoryError):
        raise NoSuchRecording from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NoSuchRecording from None
        raise
