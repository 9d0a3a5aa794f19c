"""A client's pads as devices of the kernel's."""

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType

import attrs

from punktfunk.plugin import (
    DriverFailed,
    DriverUnavailable,
    Feedback,
    GamepadDriver,
    PadArrival,
    PadBattery,
    PadButtons,
    PadEvent,
    PadMotion,
    PadRemoved,
    PadState,
    PadTouch,
    Seat,
)
from punktfunk_gamepad_uinput.dualsense import DualSense
from punktfunk_gamepad_uinput.held import Held
from punktfunk_gamepad_uinput.hid import HidModel
from punktfunk_gamepad_uinput.hid_pad import HidPad
from punktfunk_gamepad_uinput.identity import address_of, in_words, phys_of
from punktfunk_gamepad_uinput.kinds import kind_for
from punktfunk_gamepad_uinput.loop import PadLoop
from punktfunk_gamepad_uinput.node import UHID, UINPUT, DeviceNode, Node
from punktfunk_gamepad_uinput.pad import Pad
from punktfunk_gamepad_uinput.settings import AUTO, PadKind, kind_wanted
from punktfunk_gamepad_uinput.switch import SwitchPro
from punktfunk_gamepad_uinput.uinput_pad import UinputPad
from punktfunk_gamepad_uinput.xbox import XboxModel, model_for

log = logging.getLogger(__name__)

Shape = PadKind | XboxModel
"""What a pad is made as: of Microsoft's pads there are several."""


@attrs.frozen
class _Slot:
    """A client's pad, and what it became."""

    shape: Shape
    held: Held
    pad: Pad


class UinputGamepads(GamepadDriver):
    """Args:
    open_node: Opens `/dev/uinput` and `/dev/uhid`; a test may write down what is done.
    """

    def __init__(
        self,
        settings: Mapping[str, object] = MappingProxyType({}),
        open_node: Callable[[str], Node] = DeviceNode,
    ) -> None:
        super().__init__(settings)
        self._open_node = open_node
        self._slots: dict[int, _Slot] = {}
        self._loop: PadLoop | None = None
        self._wanted: PadKind | None = None
        self._has_uhid = False
        self._send_feedback: Callable[[Feedback], None] = lambda feedback: None

    @property
    def held(self) -> frozenset[int]:
        """The pads that are not in their neutral place."""
        return frozenset(number for number, slot in self._slots.items() if slot.held.is_held)

    def open(self, seat: Seat, send_feedback: Callable[[Feedback], None]) -> None:
        self.close()
        self._wanted = kind_wanted(self.settings.get("kind", AUTO))
        self._seat, self._owner = seat.name, seat.client or seat.name
        self._send_feedback = send_feedback
        self._open_node(UINPUT).close()
        try:
            self._open_node(UHID).close()
            self._has_uhid = True
        except DriverUnavailable as error:
            self._has_uhid = False
            log.info("every pad will be an Xbox pad: %s", error.reason)
        self._loop = PadLoop()

    def handle(self, event: PadEvent) -> None:
        if self._loop is None or self._loop.failed:
            raise DriverFailed("the gamepads are gone")
        try:
            self._handle(event)
        except (OSError, DriverUnavailable) as error:
            raise DriverFailed(f"a gamepad has failed: {error}") from error

    def release_all(self) -> None:
        for slot in self._slots.values():
            slot.held.let_go()
            slot.pad.show(slot.held)

    def close(self) -> None:
        for number in list(self._slots):
            self._unplug(number)
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.close()
        self._send_feedback = lambda feedback: None

    def _handle(self, event: PadEvent) -> None:
        match event:
            case PadArrival(pad=number):
                self._plug(number, event)
                self._slots[number].pad.greet()
            case PadRemoved(pad=number):
                self._unplug(number)
            case PadState(pad=number):
                if number not in self._slots:
                    self._plug(number, None)
                self._show(number, event)
            case PadMotion(pad=number) | PadTouch(pad=number) | PadBattery(pad=number):
                if number in self._slots:
                    self._show(number, event)

    def _show(self, number: int, event: object) -> None:
        slot = self._slots[number]
        slot.held.apply(event)
        slot.pad.show(slot.held)

    def _plug(self, number: int, arrival: PadArrival | None) -> None:
        """Make the device. A pad that comes back to the same one finds it as it was."""
        kind = kind_for(arrival, self._wanted, has_uhid=self._has_uhid)
        buttons = arrival.buttons if arrival else PadButtons.NONE
        shape = model_for(buttons) if kind is PadKind.XBOX else kind
        slot = self._slots.get(number)
        if slot is not None:
            if slot.shape == shape:
                return
            self._unplug(number)
        held = Held(PadState(pad=number))
        pad = self._make(shape, number, held)
        assert self._loop is not None
        self._slots[number] = _Slot(shape, held, pad)
        self._loop.add(pad)

    def _make(self, shape: Shape, number: int, held: Held) -> Pad:
        phys = phys_of(self._seat, number)
        node = self._open_node(UINPUT if isinstance(shape, XboxModel) else UHID)
        try:
            if isinstance(shape, XboxModel):
                return UinputPad(node, shape, number, phys, self._send_feedback)
            address = address_of(self._owner, number)
            model: HidModel
            if shape is PadKind.DUALSENSE:
                model = DualSense(number, address)
            else:
                model = SwitchPro(number, address)
            return HidPad(node, model, phys, in_words(address), held, self._send_feedback)
        except OSError:
            node.close()
            raise

    def _unplug(self, number: int) -> None:
        slot = self._slots.pop(number, None)
        if slot is not None:
            if self._loop is not None:
                self._loop.remove(slot.pad)
            slot.pad.close()
