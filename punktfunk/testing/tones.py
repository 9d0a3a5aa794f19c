"""Recognising the tones of `punktfunk.builtin.tone` in decoded sound."""

import numpy as np
from numpy.typing import NDArray

from punktfunk.builtin.tone import TONES_HZ

__all__ = ["TONES_HZ", "dominant_tone"]

_PADDING = 4  # finer steps between the frequencies that the length alone would give


def dominant_tone(samples: NDArray[np.floating], rate: float) -> float:
    """The strongest frequency in Hz of one channel (1-D), 0 for silence."""
    if not np.any(samples):
        return 0.0
    windowed = samples * np.hanning(len(samples))
    spectrum = np.abs(np.fft.rfft(windowed, _PADDING * len(samples)))
    spectrum[0] = 0
    return float(np.argmax(spectrum) * rate / (_PADDING * len(samples)))
