"""A pad through uinput: buttons, sticks and triggers in, rumble out."""

import errno
import logging
import threading
import time
from collections.abc import Callable

from punktfunk.plugin import Feedback, Rumble
from punktfunk_gamepad_uinput import uinput
from punktfunk_gamepad_uinput.effects import MAX_EFFECTS, Effects
from punktfunk_gamepad_uinput.held import Held
from punktfunk_gamepad_uinput.node import Node
from punktfunk_gamepad_uinput.pad import Pad
from punktfunk_gamepad_uinput.uinput import EV_ABS, EV_FF, EV_KEY, EV_SYN, Event
from punktfunk_gamepad_uinput.xbox import BUS_USB, MICROSOFT, XboxModel

log = logging.getLogger(__name__)

_SYN = Event(EV_SYN, 0, 0)
_EVENTS_AT_ONCE = 32
_FORCES = (
    uinput.FF_RUMBLE,
    uinput.FF_PERIODIC,
    uinput.FF_SQUARE,
    uinput.FF_TRIANGLE,
    uinput.FF_SINE,
    uinput.FF_GAIN,
)


class UinputPad(Pad):
    """Args:
    node: An open `/dev/uinput`, from now on this pad's.
    phys: What the udev rules know our devices by.
    """

    def __init__(
        self,
        node: Node,
        model: XboxModel,
        number: int,
        phys: str,
        send_feedback: Callable[[Feedback], None],
    ) -> None:
        self._node = node
        self._model = model
        self._number = number
        self._send_feedback = send_feedback
        self._effects = Effects()
        self._strengths = (0, 0)
        self._shown: dict[tuple[int, int], int] = {}
        self._lock = threading.Lock()
        self._closed = False
        create(node, model, phys)

    def fileno(self) -> int:
        return self._node.fileno()

    def show(self, held: Held) -> None:
        changed = []
        for event in self._model.events(held.state):
            place = event.type, event.code
            if self._shown.get(place, 0) != event.value:
                self._shown[place] = event.value
                changed.append(event)
        if changed:
            self._node.write(uinput.pack([*changed, _SYN]))

    def greet(self) -> None:
        with self._lock:
            self._feel(force=any(self._strengths))

    def on_readable(self) -> None:
        with self._lock:
            if self._closed:
                return
            for event in uinput.unpack(self._node.read(_EVENTS_AT_ONCE * uinput.EVENT_BYTES)):
                try:
                    self._take(event)
                except OSError:  # who asked has given up waiting
                    log.debug("a request for a force came to nothing", exc_info=True)
            self._feel()

    def on_time(self, now_ns: int) -> int | None:
        with self._lock:
            self._feel()
            return self._effects.next_change_ns(now_ns)

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._node.ioctl(uinput.UI_DEV_DESTROY)
            self._node.close()

    def _take(self, event: Event) -> None:
        match event:
            case Event(type=uinput.EV_UINPUT, code=uinput.UI_FF_UPLOAD, value=request):
                self._upload(request)
            case Event(type=uinput.EV_UINPUT, code=uinput.UI_FF_ERASE, value=request):
                answer = self._node.ioctl(
                    uinput.UI_BEGIN_FF_ERASE, uinput.erase_request(request & 0xFFFF_FFFF)
                )
                self._effects.erase(uinput.erased(answer))
                self._node.ioctl(uinput.UI_END_FF_ERASE, answer)
            case Event(type=uinput.EV_FF, code=uinput.FF_GAIN, value=gain):
                self._effects.set_gain(gain)
            case Event(type=uinput.EV_FF, code=number, value=times):
                self._effects.play(number, times, time.monotonic_ns())

    def _upload(self, request: int) -> None:
        question = uinput.upload_request(request & 0xFFFF_FFFF)
        answer = self._node.ioctl(uinput.UI_BEGIN_FF_UPLOAD, question)
        effect = uinput.uploaded(answer)
        if effect is None:
            answer = uinput.refused(answer, errno.EINVAL)
        else:
            self._effects.upload(effect)
        self._node.ioctl(uinput.UI_END_FF_UPLOAD, answer)

    def _feel(self, *, force: bool = False) -> None:
        strengths = self._effects.strengths(time.monotonic_ns())
        if strengths != self._strengths or force:
            self._strengths = low, high = strengths
            self._send_feedback(Rumble(pad=self._number, low_frequency=low, high_frequency=high))


def create(node: Node, model: XboxModel, phys: str) -> None:
    """Say what the device has, and plug it in."""
    for kind in (EV_KEY, EV_ABS, EV_FF):
        node.ioctl(uinput.UI_SET_EVBIT, kind)
    for code in model.keys.values():
        node.ioctl(uinput.UI_SET_KEYBIT, code)
    for force in _FORCES:
        node.ioctl(uinput.UI_SET_FFBIT, force)
    for axis in model.axes:
        node.ioctl(uinput.UI_ABS_SETUP, uinput.abs_setup(axis))
    node.ioctl(uinput.UI_SET_PHYS, phys.encode() + b"\0")
    device = uinput.setup(
        bus=BUS_USB,
        vendor=MICROSOFT,
        product=model.product,
        version=model.version,
        name=model.name,
        effects=MAX_EFFECTS,
    )
    node.ioctl(uinput.UI_DEV_SETUP, device)
    node.ioctl(uinput.UI_DEV_CREATE)
