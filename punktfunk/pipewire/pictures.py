"""A picture that has come, until somebody takes it."""

import attrs

from punktfunk.model.frames import Area, DmaBuf, Plane
from punktfunk.pipewire.buffers import Memory
from punktfunk.pipewire.formats import PictureFormat


@attrs.define(eq=False)
class Picture:
    """Attributes:
    dmabuf: Where it is, when it is to be handed out unread; it has no planes then.
    """

    memory: Memory
    planes: tuple[Plane, ...]
    dmabuf: DmaBuf | None
    agreed: PictureFormat
    taken_ns: int
    damage: tuple[Area, ...] | None

    def copied(self) -> tuple[Plane, ...]:
        """Its planes in memory of our own.

        Raises:
            DriverFailed: the GPU does not give them.
        """
        self.memory.begin()
        planes = tuple(plane.copy() for plane in self.planes)
        self.memory.end()
        return planes


def changed_since(
    skipped: Picture, agreed: PictureFormat, damage: tuple[Area, ...] | None
) -> tuple[Area, ...] | None:
    """What changed in the picture that nobody saw changed in the one after it, too."""
    if skipped.damage is None or damage is None or skipped.agreed != agreed:
        return None
    return skipped.damage + damage
