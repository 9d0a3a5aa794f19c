"""What a client's pad becomes here."""

from punktfunk.plugin import PadArrival, PadCapabilities, PadType
from punktfunk_gamepad_uinput.settings import PadKind

_MORE_THAN_XBOX = PadCapabilities.TOUCHPAD | PadCapabilities.ACCELEROMETER | PadCapabilities.GYRO


def kind_for(arrival: PadArrival | None, wanted: PadKind | None, *, has_uhid: bool) -> PadKind:
    """Pick the kind that takes the most of what the pad can.

    Args:
        arrival: None for a pad whose client does not say what it is.
        wanted: What the settings ask for.
    """
    if not has_uhid:
        return PadKind.XBOX
    if wanted is not None:
        return wanted
    if arrival is None:
        return PadKind.XBOX
    match arrival.type:
        case PadType.PLAYSTATION:
            return PadKind.DUALSENSE
        case PadType.NINTENDO:
            return PadKind.SWITCH
        case PadType.XBOX:
            return PadKind.XBOX
    return PadKind.DUALSENSE if arrival.capabilities & _MORE_THAN_XBOX else PadKind.XBOX
