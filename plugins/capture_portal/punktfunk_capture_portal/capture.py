"""Pictures of the shared screen, from the PipeWire that the portal lets us in to."""

from collections.abc import Mapping
from pathlib import Path

import attrs

from punktfunk.plugin import (
    CaptureDriver,
    Display,
    DmaBufFormat,
    DriverFailed,
    DriverUnavailable,
    Frame,
    PipeWireVideo,
    Seat,
    VideoMode,
)
from punktfunk_capture_portal.portal import BESIDE
from punktfunk_capture_portal.session import session_of
from punktfunk_capture_portal.settings import DRIVER


class PortalCapture(CaptureDriver):
    """Frames have the size of the screen."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._video: PipeWireVideo | None = None
        self._dmabufs: tuple[DmaBufFormat, ...] = ()

    def take_dmabufs(self, formats: tuple[DmaBufFormat, ...]) -> None:
        self._dmabufs = formats

    def open(self, seat: Seat, display: Display, mode: VideoMode) -> None:
        session = session_of(display)
        try:
            self._video = PipeWireVideo(
                Path(),
                session.shared.node,
                mode,
                # Some desktops make a screen as large as they are asked for.
                prefer_size=session.shared.virtual,
                cursor=session.cursor == BESIDE,
                dmabufs=self._dmabufs,
                connection=session.open_pictures(),
            )
        except DriverFailed as error:
            raise DriverUnavailable(DRIVER, str(error)) from error

    def read(self, timeout_s: float) -> Frame | None:
        if self._video is None:
            raise DriverFailed("the capture is not open")
        frame = self._video.read(timeout_s)
        # Which desktops are right about what changed is not known.
        return frame and attrs.evolve(frame, damage=None)

    def close(self) -> None:
        if self._video is not None:
            self._video.close()
        self._video = None
