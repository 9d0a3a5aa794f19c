"""What a person may set in `[plugin.uinput]`."""

from enum import StrEnum

from punktfunk.plugin import DriverUnavailable

DRIVER = "uinput"


class PadKind(StrEnum):
    XBOX = "xbox"
    DUALSENSE = "dualsense"
    SWITCH = "switch"


AUTO = "auto"
KINDS = (AUTO, *(kind.value for kind in PadKind))
DOC = (
    "What a client's pad becomes: auto (what it is most like), xbox, dualsense or switch. "
    "Without /dev/uhid every pad is an Xbox pad."
)


def kind_wanted(value: object) -> PadKind | None:
    """Read the setting; None leaves it to the client's pad.

    Raises:
        DriverUnavailable: there is no such kind.
    """
    if value not in KINDS:
        choices = ", ".join(KINDS)
        raise DriverUnavailable(DRIVER, f"kind = {value!r} is none of {choices}")
    return None if value == AUTO else PadKind(str(value))
