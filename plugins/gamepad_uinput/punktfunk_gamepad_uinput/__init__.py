"""A client's gamepads as kernel devices. Light to import: the driver loads only where it runs."""

from punktfunk.plugin import (
    API_VERSION,
    Availability,
    HostFacts,
    Kind,
    Manifest,
    Offer,
    Setting,
    hookimpl,
)
from punktfunk_gamepad_uinput.settings import AUTO, DOC, DRIVER

manifest = Manifest(
    api=API_VERSION,
    title="Gamepads (uinput, uhid)",
    settings=(Setting(name="kind", type=str, default=AUTO, doc=DOC),),
)

RANK = 50


@hookimpl
def gamepad_offers(host: HostFacts) -> list[Offer]:
    from punktfunk_gamepad_uinput import rules
    from punktfunk_gamepad_uinput.node import UHID, UINPUT
    from punktfunk_gamepad_uinput.probe import node_availability

    pads, hid = node_availability(UINPUT), node_availability(UHID)
    features = {"rumble"}
    if pads.available:
        remarks = [rules.remark()]
        if hid.available:
            features |= {"motion", "touchpad", "light", "triggers", "battery"}
        else:
            remarks.insert(0, f"Xbox pads only, {hid.reason}: {hid.hint}")
        pads = Availability.yes("; ".join(filter(None, remarks)))
    return [
        Offer(
            kind=Kind.GAMEPAD,
            driver=DRIVER,
            title="Xbox, DualSense and Switch Pro pads",
            rank=RANK,
            availability=pads,
            features=frozenset(features),
        )
    ]
