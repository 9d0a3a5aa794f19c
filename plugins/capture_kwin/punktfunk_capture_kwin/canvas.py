"""Pictures of single windows, put on a desktop of their own."""

import numpy as np

from punktfunk.plugin import Frame, PixelFormat, Plane, VideoMode


class Canvas:
    """Hands a picture that fits through as it is; only others cost a copy."""

    def __init__(self, mode: VideoMode) -> None:
        self._width_px, self._height_px = mode.width_px, mode.height_px
        self._pixels = np.zeros((mode.height_px, mode.width_px), np.uint32)

    def fits(self, frame: Frame) -> bool:
        return (frame.width_px, frame.height_px) == (self._width_px, self._height_px)

    def clear(self) -> None:
        self._pixels[:] = 0

    def paste(self, frame: Frame, left_px: int, top_px: int) -> Frame:
        """Put a window's picture where the window is; around it stays what was there."""
        if self.fits(frame) and not left_px and not top_px:
            return frame
        right = min(self._width_px, left_px + frame.width_px)
        bottom = min(self._height_px, top_px + frame.height_px)
        left, top = max(0, left_px), max(0, top_px)
        if left < right and top < bottom:
            window = _pixels(frame)
            self._pixels[top:bottom, left:right] = window[
                top - top_px : bottom - top_px, left - left_px : right - left_px
            ]
        frame.release()
        return self.frame(frame.format, frame.captured_ns)

    def frame(self, pixel_format: PixelFormat, captured_ns: int) -> Frame:
        plane: Plane = self._pixels.copy().view(np.uint8)
        return Frame(
            format=pixel_format,
            width_px=self._width_px,
            height_px=self._height_px,
            planes=(plane,),
            captured_ns=captured_ns,
        )


def _pixels(frame: Frame) -> np.ndarray[tuple[int, int], np.dtype[np.uint32]]:
    return frame.planes[0][:, : 4 * frame.width_px].view(np.uint32)
