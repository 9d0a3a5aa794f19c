"""Sound in, and Opus out."""

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from punktfunk.drivers.base import Driver
from punktfunk.drivers.seat import Seat
from punktfunk.model.audio import ChannelLayout, OpusParams

Samples = NDArray[np.float32]
"""Frames × channels, -1 to 1, 48 kHz, channels in the order of the layout."""


class AudioDriver(Driver):
    """The session's own sound device. `prepare` once, then `start`/`stop` per stream."""

    @abstractmethod
    def prepare(self, seat: Seat, layout: ChannelLayout) -> Mapping[str, str]:
        """Make a sink for the session's programs.

        Returns:
            Environment that sends a program's sound there. The user's default sink stays
            what it was.

        Raises:
            DriverUnavailable: no sound server can be used or started.
        """

    def attach(self, seat: Seat, layout: ChannelLayout) -> Mapping[str, str]:
        """Listen to what the user's own default output plays, and change nothing.

        For a session that shows the desktop that already runs. Default: like `prepare`.

        Raises:
            DriverUnavailable: as for `prepare`.
        """
        return self.prepare(seat, layout)

    def play_here(self) -> bool:
        """Let the host's own speakers play the session's sound, too. Called after `prepare`.

        Default: they stay silent, and it is False.
        """
        return False

    @abstractmethod
    def start(self, layout: ChannelLayout, frames_per_read: int) -> None:
        """Begin to capture in this layout, down- or up-mixed when the sink's differs."""

    @abstractmethod
    def read(self, timeout_s: float) -> Samples | None:
        """Block for exactly `frames_per_read` frames; None when none came in time.

        A sound server that goes away and comes back is the driver's business: it has silence
        meanwhile, at the pace of the clock.

        Raises:
            DriverFailed: there will never be sound again, and the session ends with it.
        """

    @abstractmethod
    def stop(self) -> None:
        """End the capture; the sink stays."""


class AudioEncodeDriver(Driver):
    """Opus at a hard constant rate: every packet has the same length."""

    @abstractmethod
    def open(self, params: OpusParams) -> None:
        """Start an encoder for this layout and packet length.

        Raises:
            DriverUnavailable: not in this layout.
        """

    @abstractmethod
    def encode(self, samples: Samples) -> bytes:
        """Encode exactly one packet's worth of samples."""
