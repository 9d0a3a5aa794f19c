"""The running capture and the recordings, as the host uses them."""

import asyncio
import logging
from pathlib import Path

from punktfunk.events import Feed, Publish
from punktfunk.model.session import StreamSample
from punktfunk.stats.recorder import Recorder
from punktfunk.stats.recordings import FOLDER, DiskRefused, Recordings
from punktfunk.stats.samples import Capture, CaptureMeta, StatsStatus, StreamLabel

MAX_BEHIND = 600
"""Samples: ten minutes of one stream. Who is further behind reads the whole capture again."""

log = logging.getLogger(__name__)


class Stats:
    """Lives on the host's event loop; the disk is touched in threads.

    Args:
        folder: The configuration's; recordings get a folder of their own in it.

    Attributes:
        publish: Tells of captures that begin and end.
        feed: The running capture's samples as they come, as JSON. It restarts with each capture.

    Raises:
        ConfigError: that folder cannot be used.
    """

    def __init__(self, folder: Path, recorder: Recorder | None = None) -> None:
        self._recorder = recorder or Recorder()
        self._recordings = Recordings(folder / FOLDER)
        self._lock = asyncio.Lock()
        self.feed: Feed[bytes] = Feed(kept=MAX_BEHIND)
        self.publish: Publish = lambda event_type, /, **data: None

    def record(self, sample: StreamSample, label: StreamLabel) -> None:
        """Take a stream's last window; kept only while a capture runs."""
        line = self._recorder.record(sample, label)
        if line is not None:
            self.feed.append(line)

    def status(self) -> StatsStatus:
        return self._recorder.status()

    def live(self) -> Capture | None:
        """The running capture; None when none does."""
        return self._recorder.capture()

    async def start(self) -> StatsStatus:
        """Begin a capture, or leave the running one as it is.

        Raises:
            Refused: there is no room for another recording.
        """
        async with self._lock:
            if self._recorder.status().armed:
                return self._recorder.status()
            await asyncio.to_thread(self._recordings.check_room)
            status = self._recorder.start()
            self.feed.restart()
            self.publish("stats.started")
            return status

    async def stop(self) -> CaptureMeta | None:
        """End the capture and save it; None when none runs.

        Also when the caller is cancelled: what was begun is finished.

        Raises:
            DiskRefused: it could not be written, and goes on; nothing of it is lost.
        """
        return await asyncio.shield(self._stop())

    async def recordings(self) -> list[CaptureMeta]:
        """See `Recordings.summaries`."""
        return await asyncio.to_thread(self._recordings.summaries)

    async def get(self, recording_id: str) -> Capture:
        """See `Recordings.get`."""
        return await asyncio.to_thread(self._recordings.get, recording_id)

    async def delete(self, recording_id: str) -> None:
        """See `Recordings.delete`."""
        await asyncio.to_thread(self._recordings.delete, recording_id)

    async def close(self) -> None:
        """Save the running capture, if one runs; a failure is only logged."""
        try:
            meta = await self.stop()
        except DiskRefused as error:
            log.error("the capture that still ran is lost: %s", error)
        else:
            if meta is not None:
                log.info("the capture that still ran is saved as %s", meta.id)

    async def _stop(self) -> CaptureMeta | None:
        async with self._lock:
            capture = self._recorder.capture()
            if capture is None:
                return None
            meta = await asyncio.to_thread(self._recordings.save, capture)
            self._recorder.stop()
            self.publish("stats.stopped", id=meta.id)
            return meta
