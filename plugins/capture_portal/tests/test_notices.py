import queue
import threading

import pytest
from punktfunk_capture_portal.notices import MOST_WAITING, Notices

from punktfunk.plugin import BusError, DriverFailed

WAIT_S = 30.0


@pytest.fixture
def slow():
    """A portal that takes one call, and the others when `go_on` is set; `sent` has them."""

    class Slow:
        def __init__(self) -> None:
            self.sent = queue.SimpleQueue()
            self.go_on = threading.Event()
            self.notices = Notices(self.send)

        def send(self, notice) -> None:
            self.sent.put(notice)
            assert self.go_on.wait(WAIT_S)

        def received(self, count: int) -> list:
            return [self.sent.get(timeout=WAIT_S) for _ in range(count)]

    slow = Slow()
    yield slow
    slow.go_on.set()
    slow.notices.close()


def test_nobody_waits_and_moves_that_wait_become_one(slow) -> None:
    slow.notices.put("KeyboardKeycode", "iu", 30, 1)
    slow.received(1)

    for _ in range(10_000):
        slow.notices.put("PointerMotion", "dd", 1.0, -2.0)
    slow.notices.put("PointerButton", "iu", 0x110, 1)
    slow.notices.put("PointerMotion", "dd", 1.0, 1.0)
    slow.notices.put("PointerMotionAbsolute", "udd", 42, 1.0, 1.0)
    slow.notices.put("PointerMotionAbsolute", "udd", 42, 2.0, 2.0)
    slow.go_on.set()

    assert slow.received(4) == [
        ("PointerMotion", "dd", (10_000.0, -20_000.0)),
        ("PointerButton", "iu", (0x110, 1)),
        ("PointerMotion", "dd", (1.0, 1.0)),
        ("PointerMotionAbsolute", "udd", (42, 2.0, 2.0)),
    ]


def test_a_portal_that_does_not_keep_up_is_an_error(slow) -> None:
    with pytest.raises(DriverFailed, match="does not keep up"):
        for code in range(MOST_WAITING + 2):
            slow.notices.put("KeyboardKeycode", "iu", code, 1)


def test_what_waits_is_sent_before_the_end(slow) -> None:
    for code in range(50):
        slow.notices.put("KeyboardKeycode", "iu", code, 0)
    slow.go_on.set()

    slow.notices.close()

    assert [arguments[0] for _, _, arguments in slow.received(50)] == list(range(50))


def test_a_refusal_is_told_once_and_the_rest_goes_on(caplog) -> None:
    sent = queue.SimpleQueue()

    def refuse(notice) -> None:
        sent.put(notice)
        raise BusError("NotifyTouchDown: not allowed", "org.freedesktop.DBus.Error.AccessDenied")

    notices = Notices(refuse)
    for slot in range(3):
        notices.put("TouchDown", "uudd", 42, slot, 0.0, 0.0)
    for _ in range(3):
        sent.get(timeout=WAIT_S)
    notices.close()

    assert caplog.text.count("the desktop refuses input") == 1


def test_a_portal_that_is_gone_is_an_error_from_then_on() -> None:
    def fail(notice) -> None:
        raise BusError("the bus is gone")

    notices = Notices(fail)
    notices.put("TouchUp", "u", 0)
    notices.close()

    with pytest.raises(DriverFailed, match="the desktop's portal is gone"):
        notices.put("TouchUp", "u", 0)
