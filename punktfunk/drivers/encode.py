"""Pictures to bitstream."""

from abc import abstractmethod
from typing import ClassVar

from punktfunk.drivers.base import Driver
from punktfunk.model.frames import DmaBufFormat, Frame
from punktfunk.model.video import EncodedFrame, EncodeParams, PixelFormat


class EncodeDriver(Driver):
    """One frame in, one frame out, no reordering, no look-ahead. Used by one thread.

    Attributes:
        formats: Pixel formats it takes, best first. The core converts to the first.
        dmabufs: GPU memory that it reads as it is, best first; `open` may set them, when it
            knows the machine. A capture that can gives such frames then, and nothing is
            converted. Others, and pictures of another size, still come as `formats` says.
            By default it takes none.
    """

    formats: ClassVar[tuple[PixelFormat, ...]] = (PixelFormat.I420,)
    dmabufs: tuple[DmaBufFormat, ...] = ()

    @abstractmethod
    def open(self, params: EncodeParams) -> None:
        """Start a bitstream with an infinite GOP; its first frame will be an IDR.

        Raises:
            DriverUnavailable: not with these parameters, or not on this machine.
        """

    @abstractmethod
    def encode(self, frame: Frame, *, keyframe: bool = False) -> EncodedFrame:
        """Encode a borrowed frame of the opened size in one of `formats` or `dmabufs`.

        The same one may come again, when nothing has changed. It is read, and the GPU is
        done with it, when this returns.

        Args:
            keyframe: Make it an IDR with its parameter sets in front (a sequence header
                for AV1), nothing else before the first slice.

        Raises:
            DriverFailed: the bitstream cannot go on.
        """

    @abstractmethod
    def set_bitrate(self, bitrate_kbps: int) -> None:
        """Change the rate from the next frame on, live or by an IDR."""

    def invalidate_references(self, first_frame: int, last_frame: int) -> bool:
        """Avoid these frames (client numbering) as references from now on.

        Returns:
            False when it cannot: the core then asks for an IDR. That is the default.
        """
        return False
