"""One client in the worker: its sockets, its stream, its control connection, and patience."""

import contextlib
import socket
from collections.abc import Callable

from punktfunk.model.input import InputEvent
from punktfunk.model.session import StreamEnd, StreamPlan, StreamSample
from punktfunk.session import control_socket
from punktfunk.session.control import ControlPlane
from punktfunk.session.stream import MediaSockets, Stream
from punktfunk.session.watch import ClientWatch


class Connection:
    """Used by the main thread."""

    def __init__(
        self,
        plan: StreamPlan,
        stream: Stream,
        sockets: MediaSockets,
        handle_input: Callable[[InputEvent], None],
        now_ns: int,
    ) -> None:
        self.plan = plan
        self.stream = stream
        self.sockets = sockets
        self.control = ControlPlane(plan, stream, handle_input)
        self._watch = ClientWatch(now_ns)
        self._told_connected = False

    def on_readable(self, sock: socket.socket) -> None:
        if sock is self.sockets.control:
            control_socket.receive(sock, self.control)
        elif sock is self.sockets.audio:
            self.stream.audio.drain()
        elif self.stream.video.drain() and not self._watch.video_known:
            self._watch.pinged()
            self.stream.start_picture()

    def turn(self, now_ns: int) -> None:
        """Let time do its work, and send what is due."""
        self.control.poll(now_ns)
        control_socket.flush(self.sockets.control, self.control, now_ns)
        if self.control.heard_ns is not None:
            self._watch.heard(self.control.heard_ns)

    def just_connected(self) -> bool:
        """True once: when control and picture have found their way."""
        if self._told_connected or not self._watch.connected:
            return False
        self._told_connected = True
        return True

    def verdict(self, now_ns: int) -> StreamEnd | None:
        """Why the stream must end now, or None."""
        return self.control.ended or self._watch.verdict(now_ns)

    def sample(self) -> StreamSample:
        meter, control = self.stream.meter, self.control
        meter.rejected_messages = control.rejected
        meter.client_frames_lost = control.frames_lost
        meter.client_packets_missing = control.packets_missing
        meter.client_packets_recovered = control.packets_recovered
        return self.stream.sample()

    def say_goodbye(self, meanwhile: Callable[[], None]) -> None:
        """Have the client end its stream without an error; takes 200 ms at most.

        Args:
            meanwhile: Called again and again, so that nobody else has to wait.
        """
        control_socket.say_goodbye(self.sockets.control, self.control, meanwhile)

    def close(self) -> str:
        """Stop the stream and close the sockets, see `Stream.close`."""
        try:
            return self.stream.close()
        finally:
            with contextlib.suppress(OSError):
                self.sockets.close()
