"""Parts of a picture."""

import attrs

from punktfunk.model.frames import Area, Plane
from punktfunk.model.video import PixelFormat
from punktfunk.pipewire.formats import PictureFormat


def is_cut(agreed: PictureFormat, crop: Area | None) -> bool:
    """The picture is less than the whole."""
    return crop is not None and crop != Area(0, 0, agreed.width_px, agreed.height_px)


def cropped(
    planes: tuple[Plane, ...], agreed: PictureFormat, crop: Area | None
) -> tuple[tuple[Plane, ...], PictureFormat]:
    """Cut the planes down to what the producer says is the picture.

    A cut that makes no sense, or splits a pixel of the second plane, is not made.
    """
    if crop is None or not is_cut(agreed, crop):
        return planes, agreed
    left, top = crop.left_px, crop.top_px
    right, bottom = left + crop.width_px, top + crop.height_px
    outside = left < 0 or top < 0 or right > agreed.width_px or bottom > agreed.height_px
    is_nv12 = agreed.format is PixelFormat.NV12
    if outside or (is_nv12 and (left % 2 or top % 2)):
        return planes, agreed
    smaller = attrs.evolve(agreed, width_px=crop.width_px, height_px=crop.height_px)
    if not is_nv12:
        return (planes[0][top:bottom, 4 * left : 4 * right],), smaller
    luma, chroma = planes
    rows, columns = slice(top // 2, (bottom + 1) // 2), slice(left, right + right % 2)
    return (luma[top:bottom, left:right], chroma[rows, columns]), smaller
