"""All clients of a session in the worker: each comes, streams and goes without the others."""

import logging
import selectors
import time
from collections import deque
from collections.abc import Callable

from punktfunk.errors import DriverFailed
from punktfunk.model.input import Feedback, InputEvent
from punktfunk.model.session import StreamEnd, StreamPlan, StreamSample
from punktfunk.model.video import VideoMode
from punktfunk.session.connection import Connection
from punktfunk.session.hands import Hands
from punktfunk.session.messages import Connected, StreamEnded, ToHost
from punktfunk.session.stage import Stage
from punktfunk.session.stream import MediaSockets, Stream
from punktfunk.session.studio import Studio

log = logging.getLogger(__name__)

_MAX_WAITING_FEEDBACK = 64
_NO_GOODBYE = (StreamEnd.CLIENT_LEFT, StreamEnd.CLIENT_VANISHED)


class Clients:
    """Used by the main thread, but for `take_feedback`.

    Attributes:
        failure: Why the session cannot go on, or None.
    """

    def __init__(
        self,
        stage: Stage,
        selector: selectors.BaseSelector,
        say: Callable[[ToHost], None],
        wake: Callable[[], None],
    ) -> None:
        self.failure: Exception | None = None
        self._stage = stage
        self._selector = selector
        self._say = say
        self._wake = wake
        self._mode = stage.plan.mode
        self._studio = Studio(stage, wake)
        self._hands = Hands(self._give_input)
        self._feedback: deque[Feedback] = deque(maxlen=_MAX_WAITING_FEEDBACK)
        self._connections: dict[int, Connection] = {}

    def start(self, plan: StreamPlan, sockets: MediaSockets) -> Stream:
        """Begin a stream. An earlier one of the same client ends, and so do those of others
        whose picture it changes.

        Raises:
            DriverUnavailable, DriverFailed: it cannot be had; the sockets are the caller's.
        """
        self.end_where(lambda it: it.place == plan.place, StreamEnd.REPLACED)
        stream = self._open(plan, sockets)
        connection = Connection(
            plan, stream, sockets, lambda event: self._take_input(plan, event), time.monotonic_ns()
        )
        self._connections[plan.stream_id] = connection
        for sock in sockets:
            sock.setblocking(False)
            self._selector.register(sock, selectors.EVENT_READ, connection)
        return stream

    def end_where(
        self, affected: Callable[[StreamPlan], bool], reason: StreamEnd, detail: str = ""
    ) -> None:
        """End these streams. Ends none twice."""
        for connection in list(self._connections.values()):
            if affected(connection.plan):
                self._end(connection, reason, detail)

    def end_all(self, reason: StreamEnd, detail: str = "") -> None:
        self.end_where(lambda _: True, reason, detail)

    def request_keyframe(self) -> None:
        """Any thread: have every stream start with a whole picture again."""
        for connection in list(self._connections.values()):
            connection.stream.request_keyframe()

    def take_feedback(self, feedback: Feedback) -> None:
        """Any thread: something for the device it is about."""
        self._feedback.append(feedback)
        self._wake()

    def next_deadline_ns(self) -> int | None:
        """When somebody must be tended to, at the latest."""
        deadlines = (it.control.next_deadline_ns() for it in self._connections.values())
        return min((it for it in deadlines if it is not None), default=None)

    def tend(self, now_ns: int) -> None:
        """Give everybody their due, and end what is over."""
        self._hand_out_feedback()
        for connection in list(self._connections.values()):
            connection.turn(now_ns)
            if connection.just_connected():
                self._say(Connected(connection.plan.stream_id))
            failure = connection.stream.failure
            if failure is not None and connection.plan.guest:
                log.warning("a guest's stream failed", exc_info=failure)
                self._end(connection, StreamEnd.FAILED, str(failure))
            elif failure is not None:
                self.failure = self.failure or failure
            elif (end := connection.verdict(now_ns)) is not None:
                self._end(connection, end)
        self.failure = self.failure or self._studio.failure

    def samples(self) -> tuple[StreamSample, ...]:
        return tuple(it.sample() for it in self._connections.values())

    def check(self, now_ns: int) -> None:
        """Raise `DriverFailed` when a driver has not returned for too long."""
        self._studio.check(now_ns)
        for connection in self._connections.values():
            connection.stream.check(now_ns)

    def _open(self, plan: StreamPlan, sockets: MediaSockets) -> Stream:
        wanted, shown = plan.request.mode, self._studio.mode or self._mode
        if plan.guest and not self._stage.screen.well:
            raise DriverFailed("the display is lost, and not back yet")
        if plan.guest and _size(wanted) != _size(shown):
            raise DriverFailed(f"the picture has {_size(shown)}, not {_size(wanted)}")
        if not plan.guest:
            if wanted != shown:
                self.end_all(StreamEnd.MODE_CHANGED)
            self._stage.resize(wanted)
            self._mode = wanted
        return Stream(plan, self._studio, sockets, self._wake, self._mode, self._serve_others)

    def _end(self, connection: Connection, reason: StreamEnd, detail: str = "") -> None:
        """Say goodbye to the client, stop its threads, let go of its keys and buttons."""
        plan = connection.plan
        if self._connections.pop(plan.stream_id, None) is None:
            return
        for sock in connection.sockets:
            self._selector.unregister(sock)
        if reason not in _NO_GOODBYE:
            connection.say_goodbye(self._serve_others)
        stuck = connection.close()
        try:
            self._hands.let_go(plan.place, with_pads=_is_gone(plan, reason))
            if not self._connections:
                self._stage.release_all()
        except Exception:
            log.warning("keys could not be released", exc_info=True)
        self._say(StreamEnded(plan.stream_id, reason, detail))
        if stuck:
            self.failure = DriverFailed(f"the {stuck} thread hangs")

    def _serve_others(self) -> None:
        now_ns = time.monotonic_ns()
        for connection in self._connections.values():
            connection.on_readable(connection.sockets.control)
            connection.turn(now_ns)

    def _take_input(self, plan: StreamPlan, event: InputEvent) -> None:
        if plan.watches:
            return
        try:
            self._hands.take(plan.place, event)
        except Exception as error:
            self.failure = error

    def _give_input(self, event: InputEvent) -> None:
        self._stage.handle(event)

    def _hand_out_feedback(self) -> None:
        while self._feedback:
            addressed = self._hands.addressed(self._feedback.popleft())
            if addressed is None:
                continue
            place, feedback = addressed
            for connection in self._connections.values():
                if place in (None, connection.plan.place):
                    connection.control.send(feedback)


def _size(mode: VideoMode) -> str:
    return f"{mode.width_px}x{mode.height_px}"


def _is_gone(plan: StreamPlan, reason: StreamEnd) -> bool:
    """A guest's pads go with its stream; the owner's stay plugged in for its return."""
    return plan.guest and reason is not StreamEnd.REPLACED
