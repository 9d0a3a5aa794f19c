"""What asks a compositor for pictures, by one protocol or another."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import attrs
from pywayland.protocol.wayland import WlShm

from punktfunk.plugin import Area, DriverFailed
from punktfunk_capture_wlroots.buffers import Buffer, BufferRing, BufferSpec
from punktfunk_capture_wlroots.wayland import Connection


def gpu_only() -> DriverFailed:
    """The compositor wants to copy into GPU memory and into no other."""
    return DriverFailed(
        "the compositor copies its picture into GPU memory only",
        hint="start it with WLR_RENDERER=gles2 or pixman, or take the portal: "
        'compositor = ["portal"]',
    )


class CopyFailed(Exception):
    """This picture did not come; the next may."""


@attrs.frozen(eq=False)
class Picture:
    """A complete copy.

    Attributes:
        damage: Where it differs from the picture before; None: anywhere.
    """

    ring: BufferRing
    buffer: Buffer
    ready_ns: int
    damage: tuple[Area, ...] | None
    upside_down: bool = False


class Copier(ABC):
    """Asks for one picture at a time. Used by one thread.

    The ring of buffers lives as long as the compositor wants pictures of one kind.
    """

    protocol: ClassVar[str]

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._shm = connection.bind(WlShm, 1)
        self._ring: BufferRing | None = None

    @property
    @abstractmethod
    def waiting(self) -> bool:
        """A picture was asked for, and is not there yet."""

    @abstractmethod
    def ask(self) -> None:
        """Ask for a picture: the first one at once, then one when something changed."""

    @abstractmethod
    def advance(self) -> Picture | None:
        """Do the next step after events came; the picture when it is complete.

        Raises:
            CopyFailed: this one will not come; ask again.
            DriverFailed: none will come any more.
        """

    @abstractmethod
    def cancel(self) -> None:
        """Forget what was asked for."""

    def close(self) -> None:
        self.cancel()
        if self._ring is not None:
            self._ring.close()
            self._ring = None

    def _ring_for(self, spec: BufferSpec) -> BufferRing:
        if self._ring is None or self._ring.spec != spec:
            if self._ring is not None:
                self._ring.close()
            self._ring = BufferRing(self._shm, spec)
        return self._ring


def destroy(proxy: Any) -> None:
    if not proxy.destroyed:
        proxy.destroy()
