"""Reading the test card back from a decoded picture."""

import attrs
import numpy as np
from numpy.typing import NDArray

from punktfunk.builtin.card_cells import CELL_COLUMNS, CELL_ROWS, cell_px, content_of

_THRESHOLD = 126  # halfway between black and white, in limited range as in full


@attrs.frozen
class CardReading:
    """What the card said.

    Attributes:
        counter: Frames handed out before this one, modulo 2**32.
        clock_ns: CLOCK_MONOTONIC when it was drawn.
    """

    counter: int
    clock_ns: int


def read_card(luma: NDArray[np.uint8]) -> CardReading | None:
    """Read the cells of a picture that fills `luma` (rows × columns), full or limited range.

    Returns:
        None when they cannot be read: no test card, or a damaged picture.
    """
    height, width = luma.shape
    try:
        side = cell_px(width, height)
    except ValueError:
        return None
    # The inner half of each cell: its edges are where coding blurs.
    inner = slice(side // 4, side - side // 4)
    corner = luma[: CELL_ROWS * side, : CELL_COLUMNS * side]
    squares = corner.reshape(CELL_ROWS, side, CELL_COLUMNS, side)[:, inner, :, inner]
    content = content_of(squares.mean(axis=(1, 3)) > _THRESHOLD)
    return None if content is None else CardReading(*content)
