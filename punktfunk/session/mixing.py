"""Sound in other layouts and other portions than it was captured in."""

import numpy as np
from numpy.typing import NDArray

from punktfunk.drivers.audio import Samples
from punktfunk.model.audio import ChannelLayout, Speaker

_HALF_POWER = 0.7071

_ELSEWHERE = {
    Speaker.FRONT_CENTER: {Speaker.FRONT_LEFT: _HALF_POWER, Speaker.FRONT_RIGHT: _HALF_POWER},
    Speaker.REAR_LEFT: {Speaker.FRONT_LEFT: _HALF_POWER},
    Speaker.REAR_RIGHT: {Speaker.FRONT_RIGHT: _HALF_POWER},
    Speaker.SIDE_LEFT: {Speaker.REAR_LEFT: 1.0},
    Speaker.SIDE_RIGHT: {Speaker.REAR_RIGHT: 1.0},
}
"""Who plays what a missing speaker would. Nobody has to play the deepest sounds."""


class Mixer:
    """Samples of one layout, as they come, to portions of another one."""

    def __init__(self, have: ChannelLayout, want: ChannelLayout, frames: int) -> None:
        self._matrix = None if have == want else _matrix(have, want)
        self._frames = frames
        self._rest: Samples = np.empty((0, want.channels), np.float32)

    def mix(self, samples: Samples) -> list[Samples]:
        """Return the portions that are complete with these."""
        if self._matrix is not None:
            samples = np.clip(samples @ self._matrix, -1.0, 1.0)
        if not len(self._rest) and len(samples) == self._frames:
            return [samples]
        pending = np.concatenate([self._rest, samples])
        whole = len(pending) // self._frames * self._frames
        self._rest = pending[whole:]
        return [pending[start : start + self._frames] for start in range(0, whole, self._frames)]


def _matrix(have: ChannelLayout, want: ChannelLayout) -> NDArray[np.float32]:
    matrix = np.zeros((have.channels, want.channels), np.float32)
    for row, speaker in enumerate(have.speakers):
        for target, share in _shares(speaker, want).items():
            matrix[row, want.speakers.index(target)] = share
    return matrix


def _shares(speaker: Speaker, want: ChannelLayout) -> dict[Speaker, float]:
    if speaker in want.speakers:
        return {speaker: 1.0}
    shares: dict[Speaker, float] = {}
    for other, share in _ELSEWHERE.get(speaker, {}).items():
        for target, rest in _shares(other, want).items():
            shares[target] = share * rest
    return shares
