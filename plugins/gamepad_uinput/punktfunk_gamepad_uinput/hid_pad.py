"""A pad through uhid: a HID device of which the kernel makes what it makes of a real one."""

import threading
import time
from collections.abc import Callable

from punktfunk.plugin import Feedback
from punktfunk_gamepad_uinput import uhid
from punktfunk_gamepad_uinput.held import Held
from punktfunk_gamepad_uinput.hid import HidModel
from punktfunk_gamepad_uinput.node import Node
from punktfunk_gamepad_uinput.pad import Pad

_NS_PER_MS = 1_000_000


class HidPad(Pad):
    """Args:
    node: An open `/dev/uhid`, from now on this pad's.
    phys: What the udev rules know our devices by.
    uniq: What programs know this pad by.
    held: Looked at whenever the pad reports.
    """

    def __init__(
        self,
        node: Node,
        model: HidModel,
        phys: str,
        uniq: str,
        held: Held,
        send_feedback: Callable[[Feedback], None],
    ) -> None:
        self._node = node
        self._model = model
        self._held = held
        self._send_feedback = send_feedback
        self._next_report_ns = 0
        self._lock = threading.Lock()
        self._closed = False
        node.write(uhid.create(model.device, phys, uniq))

    def fileno(self) -> int:
        return self._node.fileno()

    def show(self, held: Held) -> None:
        with self._lock:
            self._held = held
            self._report(time.monotonic_ns())

    def greet(self) -> None:
        with self._lock:
            for feedback in self._model.greeting():
                self._send_feedback(feedback)

    def on_readable(self) -> None:
        with self._lock:
            if not self._closed:
                self._take(uhid.wish(self._node.read(uhid.EVENT_BYTES)))

    def on_time(self, now_ns: int) -> int | None:
        period_ms = self._model.period_ms
        if period_ms is None:
            return None
        with self._lock:
            if now_ns >= self._next_report_ns and not self._closed:
                self._report(now_ns)
                self._next_report_ns = now_ns + period_ms * _NS_PER_MS
            return self._next_report_ns

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._node.write(uhid.DESTROY)
            self._node.close()

    def _report(self, now_ns: int) -> None:
        self._node.write(uhid.report(self._model.report(self._held, now_ns)))

    def _take(self, wish: uhid.Wish | None) -> None:
        match wish:
            case uhid.Output(data):
                self._heed(data)
            case uhid.ReportGiven(request, data):
                self._node.write(uhid.taken(request))
                self._heed(data)
            case uhid.FeatureWanted(request, number):
                self._node.write(uhid.answer_feature(request, self._model.feature(number)))

    def _heed(self, data: bytes) -> None:
        response = self._model.on_output(data, self._held)
        for report in response.reports:
            self._node.write(uhid.report(report))
        for feedback in response.feedback:
            self._send_feedback(feedback)
