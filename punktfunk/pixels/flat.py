"""Pictures as the kernels read them: flat memory, and where in it a picture begins."""

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray


def flattened(pixels: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], int, int]:
    """Memory from the lowest to the highest pixel, where the picture starts, its stride.

    The last two count pixels. Pictures stored bottom up have a negative stride.
    """
    rows, columns = pixels.shape
    if pixels.flags.c_contiguous:
        return pixels.reshape(-1), 0, columns
    stride = pixels.strides[0] // 4
    extent = (rows - 1) * abs(stride)
    lowest = pixels if stride >= 0 else pixels[::-1]
    flat = as_strided(lowest, shape=(extent + columns,), strides=(4,))
    return flat, 0 if stride >= 0 else extent, stride
