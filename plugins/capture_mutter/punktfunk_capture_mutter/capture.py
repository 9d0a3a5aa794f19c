"""Pictures from Mutter, over PipeWire."""

from collections.abc import Mapping

from punktfunk.plugin import (
    CaptureDriver,
    Display,
    DriverFailed,
    Frame,
    PipeWireVideo,
    Seat,
    VideoMode,
)
from punktfunk_capture_mutter.mutter import Cast
from punktfunk_capture_mutter.screen import screen_of


class MutterCapture(CaptureDriver):
    """Shows the screen that the compositor driver had Mutter make or stream."""

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings or {})
        self._cast: Cast | None = None
        self._video: PipeWireVideo | None = None

    def open(self, seat: Seat, display: Display, mode: VideoMode) -> None:
        screen = screen_of(display.environment)
        self._cast = screen.cast_again()
        try:
            self._video = screen.video(self._cast, mode)
        except BaseException:
            self.close()
            raise

    def read(self, timeout_s: float) -> Frame | None:
        """Wait for a change. The pointer is in the picture."""
        if self._video is None or self._cast is None:
            raise DriverFailed("the capture is not open")
        frame = self._video.read(timeout_s)
        if frame is None:
            # PipeWire does not always say that nothing will ever come again.
            self._cast.check()
        return frame

    def close(self) -> None:
        if self._video is not None:
            self._video.close()
        if self._cast is not None:
            self._cast.close()
        self._video = self._cast = None
