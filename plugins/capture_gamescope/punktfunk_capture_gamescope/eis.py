"""A connection to a compositor that takes emulated input (EIS), by libei.

Knows nothing of gamescope. A server offers a seat, we bind what it can do, and it gives devices,
each paused at first. It may pause, resume and take away each of them at any time.
"""

import logging
import select
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from punktfunk.plugin import DriverFailed, DriverUnavailable

if TYPE_CHECKING:
    from libei.ei import Device, DeviceCapability, Sender

LIBRARY = "libei.so.1"
HINT = "apt install libei1 (Debian 13 and newer), or your distribution's libei"
READY_S = 5.0
_REST_S = 0.5
"""How long to wait for the other devices once there is one."""
_MOST_EVENTS = 1_000


def is_installed() -> bool:
    """True when libei can be loaded."""
    try:
        from libei import ei
    except ImportError:
        return False
    return ei.is_available()


def socket_name(display: str) -> str:
    """Name of the socket beside the Wayland socket of a gamescope."""
    return f"{display}-ei"


class EisConnection:
    """Holds the devices that the server lets us use at the moment. Used by one thread.

    Args:
        server: Path of the server's socket, or a connected socket's descriptor, which is
            closed with the connection.
        name: What the server may show to people.

    Raises:
        DriverUnavailable: no libei, nobody there, or no device within `READY_S`.
    """

    def __init__(self, server: Path | int, name: str) -> None:
        if not is_installed():
            raise DriverUnavailable("EIS", f"{LIBRARY} is not installed", hint=HINT)
        from libei import ei

        # On its debug level the library writes down what is typed.
        logging.getLogger("libei.ei").setLevel(logging.WARNING)
        self._ei = ei
        self._devices: list[Device] = []
        self._emulating: set[Device] = set()
        self._bound: set[DeviceCapability] = set()
        self._lost: list[Device] = []
        self._connected = False
        self._sender: Sender | None = ei.Sender.create_for_fd(_greeted(server), name)
        try:
            self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    def device(self, capability: str) -> "Device | None":
        """The device for `POINTER`, `KEYBOARD`, …; None when there is none to be used now."""
        wanted = self._ei.DeviceCapability[capability]
        for device in reversed(self._devices):
            if wanted in device.capabilities:
                # Not before: servers find it hard to pause a device that emulates.
                if device not in self._emulating:
                    self._emulating.add(device.start_emulating())
                return device
        return None

    def update(self) -> list[Any]:
        """Hear what the server says, without waiting.

        Returns:
            The devices that are not to be used any more; whatever was down on them is up.

        Raises:
            DriverFailed: the server is gone.
        """
        if self._sender is None:
            raise DriverFailed("the connection for emulated input is closed")
        self._lost = []
        if select.select([self._sender.fd], [], [], 0)[0]:
            self._sender.dispatch()
            for _, event in zip(range(_MOST_EVENTS), self._sender.events, strict=False):
                self._handle(event)
        return self._lost

    def close(self) -> None:
        """Disconnect; the server takes the devices away. Safe to call twice."""
        for device in self._devices:
            if device in self._emulating:
                device.stop_emulating()
            device.release()
        self._devices, self._lost = [], []
        self._emulating.clear()
        if self._sender is not None:
            if not self._connected:
                # libei 1.3 crashes when it gives up half a handshake: rather leave it lying.
                self._sender._finalizer.detach()
            self._sender.release()
        self._sender = None

    def _handle(self, event: Any) -> None:
        kinds = self._ei.EventType
        match event.event_type:
            case kinds.DISCONNECT:
                raise DriverFailed("whoever took the emulated input is gone")
            case kinds.CONNECT:
                self._connected = True
            case kinds.SEAT_ADDED:
                known = [it for it in event.seat.capabilities if it in self._wanted()]
                if known:
                    self._bound.update(known)
                    event.seat.bind(tuple(known))
            case kinds.DEVICE_RESUMED:
                self._devices.append(event.device)
            case kinds.DEVICE_PAUSED | kinds.DEVICE_REMOVED:
                if event.device in self._devices:
                    self._devices.remove(event.device)
                    self._emulating.discard(event.device)
                    self._lost.append(event.device)

    def _wanted(self) -> "tuple[DeviceCapability, ...]":
        able = self._ei.DeviceCapability
        return (
            *(able.POINTER, able.POINTER_ABSOLUTE, able.BUTTON, able.SCROLL),
            *(able.KEYBOARD, able.TOUCH),
        )

    def _wait_until_ready(self) -> None:
        """Until every bound capability has a device, or no more devices come."""
        assert self._sender is not None
        deadline = time.monotonic() + READY_S
        while (left_s := deadline - time.monotonic()) > 0:
            select.select([self._sender.fd], [], [], left_s)
            before = len(self._devices)
            try:
                self.update()
            except DriverFailed as error:
                raise DriverUnavailable("EIS", "the compositor refuses emulated input") from error
            able = {each for device in self._devices for each in device.capabilities}
            if self._bound and self._bound <= able:
                return
            if len(self._devices) > before:
                deadline = min(deadline, time.monotonic() + _REST_S)
        if not self._devices:
            raise DriverUnavailable(
                "EIS", f"the compositor gave no device for emulated input within {READY_S:g} s"
            )


def _greeted(server: Path | int) -> int:
    """Connect, and wait for the server's first word; libei cannot take a wait for it back."""
    try:
        with socket.socket(fileno=server) if isinstance(server, int) else _unix() as connecting:
            if not isinstance(server, int):
                connecting.connect(str(server))
            if not select.select([connecting], [], [], READY_S)[0]:
                raise DriverUnavailable("EIS", "the compositor does not answer")
            connecting.setblocking(False)
            return connecting.detach()
    except OSError as error:
        raise DriverUnavailable("EIS", f"nobody takes emulated input there: {error}") from error


def _unix() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
