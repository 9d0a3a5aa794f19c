"""Parts of a picture, and pictures of another size."""

import numpy as np

from punktfunk.model.frames import Area, Frame, Plane
from punktfunk.model.video import PixelFormat, VideoMode
from punktfunk.pipewire.formats import PictureFormat


def cropped(
    planes: tuple[Plane, ...], agreed: PictureFormat, crop: Area | None
) -> tuple[tuple[Plane, ...], PictureFormat]:
    """Cut the planes down to what the producer says is the picture.

    A cut that makes no sense, or splits a pixel of the second plane, is not made.
    """
    if crop is None or crop == Area(0, 0, agreed.width_px, agreed.height_px):
        return planes, agreed
    left, top = crop.left_px, crop.top_px
    right, bottom = left + crop.width_px, top + crop.height_px
    outside = left < 0 or top < 0 or right > agreed.width_px or bottom > agreed.height_px
    is_nv12 = agreed.format is PixelFormat.NV12
    if outside or (is_nv12 and (left % 2 or top % 2)):
        return planes, agreed
    smaller = PictureFormat(agreed.format, crop.width_px, crop.height_px)
    if not is_nv12:
        return (planes[0][top:bottom, 4 * left : 4 * right],), smaller
    luma, chroma = planes
    rows, columns = slice(top // 2, (bottom + 1) // 2), slice(left, right + right % 2)
    return (luma[top:bottom, left:right], chroma[rows, columns]), smaller


def stretched(frame: Frame, mode: VideoMode) -> Frame:
    """Make a BGRX or RGBX picture as large as a mode; a frame that has the size is returned.

    Places on it stay right as parts of its width and height. The frame is released, the
    result is a copy.
    """
    width, height = mode.width_px, mode.height_px
    if (frame.width_px, frame.height_px) == (width, height):
        return frame
    rows = np.arange(height) * frame.height_px // height
    columns = np.arange(width) * frame.width_px // width
    pixels = frame.planes[0].view(np.uint32)[rows[:, np.newaxis], columns]
    frame.release()
    return Frame(
        format=frame.format,
        width_px=width,
        height_px=height,
        planes=(pixels.view(np.uint8),),
        captured_ns=frame.captured_ns,
        fresh=frame.fresh,
    )
