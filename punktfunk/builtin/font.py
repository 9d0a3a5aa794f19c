"""Capital letters and digits, 5 wide and 7 high, for the test card."""

import numpy as np
from numpy.typing import NDArray

ROWS, COLUMNS = 7, 5

# Seven rows a glyph, top first; in each row the left-most dot is the highest of five bits.
_GLYPHS = {
    "0": (14, 17, 19, 21, 25, 17, 14),
    "1": (4, 12, 4, 4, 4, 4, 14),
    "2": (14, 17, 1, 2, 4, 8, 31),
    "3": (31, 2, 4, 2, 1, 17, 14),
    "4": (2, 6, 10, 18, 31, 2, 2),
    "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14),
    "7": (31, 1, 2, 4, 8, 8, 8),
    "8": (14, 17, 17, 14, 17, 17, 14),
    "9": (14, 17, 17, 15, 1, 2, 12),
    "x": (0, 0, 17, 10, 4, 10, 17),
    "@": (14, 17, 23, 21, 23, 16, 14),
    ".": (0, 0, 0, 0, 0, 12, 12),
    " ": (0, 0, 0, 0, 0, 0, 0),
    "P": (30, 17, 17, 30, 16, 16, 16),
    "U": (17, 17, 17, 17, 17, 17, 14),
    "N": (17, 25, 21, 19, 17, 17, 17),
    "K": (17, 18, 20, 24, 20, 18, 17),
    "T": (31, 4, 4, 4, 4, 4, 4),
    "F": (31, 16, 16, 30, 16, 16, 16),
}


def text_mask(text: str, scale: int) -> NDArray[np.bool_]:
    """True where there is ink, every dot `scale` pixels wide and high.

    Raises:
        KeyError: a character is not in the font.
    """
    dots = np.zeros((ROWS, len(text) * (COLUMNS + 1)), dtype=np.bool_)
    for place, character in enumerate(text):
        for row, bits in enumerate(_GLYPHS[character]):
            for column in range(COLUMNS):
                dots[row, place * (COLUMNS + 1) + column] = bits >> (COLUMNS - 1 - column) & 1
    return np.kron(dots, np.ones((scale, scale), dtype=np.bool_)).astype(np.bool_)
