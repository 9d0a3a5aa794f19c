"""Fingers and pens on the streamed picture: positions are 0..1 of it, from the top left."""

from enum import Enum, IntFlag

import attrs
from attrs.validators import and_, ge, le

_unit = and_(ge(0.0), le(1.0))


class ContactKind(Enum):
    """What a finger or a pen did. The numbers are the wire's."""

    HOVER = 0
    DOWN = 1
    UP = 2
    MOVE = 3
    CANCEL = 4
    BUTTON_ONLY = 5
    HOVER_LEAVE = 6
    CANCEL_ALL = 7

    @property
    def hovers(self) -> bool:
        """True when the contact is above the surface: it has a distance, no pressure."""
        return self in (ContactKind.HOVER, ContactKind.HOVER_LEAVE)


class PenTool(Enum):
    UNKNOWN = 0
    PEN = 1
    ERASER = 2


class PenButtons(IntFlag):
    NONE = 0
    PRIMARY = 1
    SECONDARY = 2
    TERTIARY = 4


@attrs.frozen(kw_only=True)
class TouchEvent:
    """A finger on the streamed picture.

    Attributes:
        pointer_id: Names the finger while it is down; any 32-bit number.
        pressure: 0..1; 0 while hovering, and where the client does not know it.
        distance: 0..1; how far above the surface a hovering finger is.
        contact_major: Longer axis of the contact patch, 0..1; 0 is unknown.
        contact_minor: Shorter axis, 0..1; 0 is unknown.
        rotation_deg: 0 to 359, None if unknown.
    """

    kind: ContactKind
    pointer_id: int
    x: float = attrs.field(validator=_unit)
    y: float = attrs.field(validator=_unit)
    pressure: float = attrs.field(default=0.0, validator=_unit)
    distance: float = attrs.field(default=0.0, validator=_unit)
    contact_major: float = attrs.field(default=0.0, validator=_unit)
    contact_minor: float = attrs.field(default=0.0, validator=_unit)
    rotation_deg: int | None = None


@attrs.frozen(kw_only=True)
class PenEvent:
    """A pen on or above the streamed picture. Fields as in `TouchEvent`.

    Attributes:
        tilt_deg: 0 (upright) to 90 (flat), None if unknown.
    """

    kind: ContactKind
    tool: PenTool
    buttons: PenButtons = PenButtons.NONE
    x: float = attrs.field(validator=_unit)
    y: float = attrs.field(validator=_unit)
    pressure: float = attrs.field(default=0.0, validator=_unit)
    distance: float = attrs.field(default=0.0, validator=_unit)
    contact_major: float = attrs.field(default=0.0, validator=_unit)
    contact_minor: float = attrs.field(default=0.0, validator=_unit)
    rotation_deg: int | None = None
    tilt_deg: int | None = None
