"""A stream's control connection: ENet, encryption, input in, feedback out.

Runs on the worker's main thread and does no I/O: datagrams in, datagrams out, with the
time as an argument. docs/protocol/gamestream.md, sections 6 and 7.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from punktfunk.gamestream.control import (
    ControlChannel,
    ControlMessage,
    FrameFecStatus,
    HostMessage,
    Input,
    InvalidateReferences,
    RequestIdr,
    Scheme,
    Termination,
)
from punktfunk.gamestream.endpoint import normalize_ip
from punktfunk.gamestream.enet import (
    Address,
    AddressOffered,
    Connected,
    Disconnected,
    DisconnectReason,
    EnetHost,
    Event,
    Received,
)
from punktfunk.model.input import InputEvent
from punktfunk.model.session import StreamEnd, StreamPlan

_CHANNEL = 0
_MAX_WAITING_MESSAGES = 256


class StreamActions(Protocol):
    """What a control message may cause."""

    def request_keyframe(self) -> None: ...

    def invalidate_references(self, first_frame: int, last_frame: int) -> None: ...

    def allow_ip(self, ip: str) -> None: ...


class ControlPlane:
    """One stream's control connection.

    Attributes:
        ended: Why the connection is over, once the client or its behaviour has decided it.
        heard_ns: When the client last sent something authentic, or None.
        frames_lost: Frames that the client reported as lost.
        packets_missing: Packets of the picture that the client reported it did not get.
        packets_recovered: Of those, the ones it rebuilt from parity.
        local_ip: Where to send from, see `StreamPlan`.
    """

    def __init__(
        self,
        plan: StreamPlan,
        actions: StreamActions,
        handle_input: Callable[[InputEvent], None],
    ) -> None:
        self.ended: StreamEnd | None = None
        self.heard_ns: int | None = None
        self.frames_lost = 0
        self.packets_missing = 0
        self.packets_recovered = 0
        self.local_ip = plan.local_ip
        self._plan = plan
        self._actions = actions
        self._handle_input = handle_input
        self._enet = EnetHost(self._accepts)
        self._channel = ControlChannel(
            plan.key, Scheme.V2 if plan.request.control_v2 else Scheme.LEGACY
        )
        self._peer: int | None = None
        self._unproven: dict[int, Address] = {}
        self._waiting: deque[HostMessage] = deque(maxlen=_MAX_WAITING_MESSAGES)

    @property
    def rejected(self) -> int:
        """Messages and datagrams that were dropped because something was wrong with them."""
        sealed, enet = self._channel.counters, self._enet.counters
        wrong = sealed.unauthentic + sealed.replayed + sealed.malformed + sealed.unencrypted
        return wrong + enet.malformed + enet.strays + enet.refused_connects + enet.fragments

    @property
    def silent(self) -> bool:
        """Nothing that we sent waits for the client's acknowledgement."""
        return self._peer is None or self._enet.unacknowledged(self._peer) == 0

    def receive(self, datagram: bytes, address: Address, now_ns: int) -> None:
        """Take one datagram of the control port."""
        for event in self._enet.receive(datagram, address, now_ns):
            if isinstance(event, AddressOffered):
                self._consider_address(event, datagram, now_ns)
            else:
                self._on_event(event, now_ns)

    def poll(self, now_ns: int) -> None:
        """Let time do its work: timeouts, messages that waited for a connection."""
        for event in self._enet.poll(now_ns):
            self._on_event(event, now_ns)
        while self._peer is not None and self._waiting:
            self._enet.send(
                self._peer, _CHANNEL, self._channel.seal(self._waiting.popleft()), now_ns
            )

    def next_deadline_ns(self) -> int | None:
        return self._enet.next_deadline_ns()

    def outgoing(self, now_ns: int) -> list[tuple[bytes, Address]]:
        """Datagrams to send now."""
        return self._enet.datagrams_to_send(now_ns)

    def send(self, message: HostMessage) -> None:
        """Tell the client something, as soon as it is connected."""
        self._waiting.append(message)

    def terminate(self) -> None:
        """Tell the client that the stream is over, in the way it shows as no error."""
        self._waiting.clear()
        self.send(Termination())

    def disconnect(self) -> None:
        """Say the transport's own goodbye; after `terminate` was acknowledged."""
        for peer in (self._peer, *self._unproven):
            if peer is not None:
                self._enet.disconnect(peer)
        self._peer = None
        self._unproven.clear()

    def _accepts(self, connect_data: int, address: Address) -> bool:
        if self._peer is not None:
            # The connect data is no secret any more: it went over the network in the clear.
            return False
        if self._plan.request.client_knows_ping_payload:
            return connect_data == self._plan.connect_data
        # An old client brings nothing along; its address is all there is.
        return _ip(address) == self._plan.client_ip

    def _on_event(self, event: Event, now_ns: int) -> None:
        match event:
            case Connected(peer=peer, address=address):
                self._unproven[peer] = address
            case Received(peer=peer, data=data) if peer == self._peer:
                self._on_message(self._channel.receive(data), now_ns)
            case Received(peer=peer, data=data) if peer in self._unproven:
                message = self._channel.receive(data)
                if message is not None:
                    self._believe(peer)
                self._on_message(message, now_ns)
            case Disconnected(peer=peer, reason=reason) if peer == self._peer:
                self._peer = None
                left = reason is DisconnectReason.BY_PEER
                self.ended = StreamEnd.CLIENT_LEFT if left else StreamEnd.CLIENT_VANISHED
            case Disconnected(peer=peer):
                self._unproven.pop(peer, None)

    def _believe(self, peer: int) -> None:
        """This peer has the key: it is the client, and all others are not."""
        address = self._unproven.pop(peer)
        for other in self._unproven:
            self._enet.disconnect(other)
        self._unproven.clear()
        self._peer = peer
        self._actions.allow_ip(_ip(address))

    def _consider_address(self, offered: AddressOffered, datagram: bytes, now_ns: int) -> None:
        """Follow the client to another address, if what came from there is its own."""
        if offered.peer != self._peer:
            return
        if not any(self._channel.proves_sender(payload) for payload in offered.payloads):
            return
        self._enet.adopt_address(offered.peer, offered.address)
        self._actions.allow_ip(_ip(offered.address))
        for event in self._enet.receive(datagram, offered.address, now_ns):
            self._on_event(event, now_ns)

    def _on_message(self, message: ControlMessage | None, now_ns: int) -> None:
        if message is None:
            if self._channel.broken:
                self.ended = StreamEnd.HOSTILE
            return
        self.heard_ns = now_ns
        match message:
            case Input(event=event):
                self._handle_input(event)
            case RequestIdr():
                self._actions.request_keyframe()
            case InvalidateReferences(first=first, last=last):
                self._actions.invalidate_references(first, last)
            case FrameFecStatus() as status:
                self._count(status)

    def _count(self, status: FrameFecStatus) -> None:
        missing = max(0, status.total_data - status.received_data)
        self.packets_missing += missing
        if _is_lost(status):
            self.frames_lost += 1
        else:
            self.packets_recovered += missing


def _is_lost(status: FrameFecStatus) -> bool:
    return status.received_data + status.received_parity < status.total_data


def _ip(address: Address) -> str:
    assert isinstance(address, tuple)
    return normalize_ip(str(address[0]))
