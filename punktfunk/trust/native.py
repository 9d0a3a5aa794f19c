"""Trust for punktfunk/1: its clients, the PIN window, and the devices that wait for a yes.

Made with every host. Until the protocol's plane calls `enable`, nothing can be armed or decided.
"""

import logging
import time
from collections.abc import Callable
from ipaddress import ip_address

from punktfunk.errors import Refused
from punktfunk.model.clients import Fingerprint, NativeClient, readable_name
from punktfunk.trust.pairing import awake_and_asleep_ns
from punktfunk.trust.pending import PendingDevice, PendingTable
from punktfunk.trust.pin_window import PinWindow, ShownPin, mint_pin
from punktfunk.trust.store import NativeClientStore

log = logging.getLogger(__name__)


class NativePairing:
    """One per host, shared by the native plane and the management API, on one event loop.

    What a person decides raises `Refused` with status 503 until `enable` was called.

    Attributes:
        on_denied: Called with the fingerprint of a device that a person has turned away.
        on_knocked: Called with a device that waits for a decision.
    """

    def __init__(
        self,
        store: NativeClientStore,
        *,
        now_ns: Callable[[], int] = awake_and_asleep_ns,
        mint: Callable[[], str] = mint_pin,
    ) -> None:
        self.store = store
        self.on_denied: Callable[[Fingerprint], None] = lambda fingerprint: None
        self.on_knocked: Callable[[PendingDevice], None] = lambda device: None
        self._window = PinWindow(now_ns, mint)
        self._pending = PendingTable(now_ns)
        self._enabled = False

    # --- for the management API --------------------------------------------------------------

    @property
    def enabled(self) -> bool:
        return self._enabled

    def shown_pin(self) -> ShownPin | None:
        """What the person has to type into the device; None while pairing is not armed."""
        return self._window.shown()

    def arm(self, ttl_s: int | None = None) -> ShownPin:
        """Open the window with a new PIN; see `PinWindow.arm`."""
        self._need_plane()
        log.info("native pairing is armed")
        return self._window.arm(ttl_s)

    def disarm(self) -> None:
        self._need_plane()
        self._window.disarm()

    def unpair(self, fingerprint: Fingerprint) -> bool:
        """Raises OSError: it is shut out, but the store could not be written."""
        self._need_plane()
        return self.store.remove(fingerprint)

    def rename(self, fingerprint: Fingerprint, name: str) -> NativeClient | None:
        """See `Store.rename`."""
        self._need_plane()
        return self.store.rename(fingerprint, name)

    def pending(self) -> tuple[PendingDevice, ...]:
        """Who waits for a decision; who knocked longest ago comes first."""
        return self._pending.devices()

    def approve(self, device_id: int, name: str | None = None) -> NativeClient | None:
        """Pair a device that waits. None: no such device waits.

        Args:
            name: What to call it instead of what it calls itself.

        Raises:
            Refused: there is no room; it goes on waiting.
            OSError: the store could not be written; it goes on waiting.
        """
        self._need_plane()
        device = self._pending.get(device_id)
        if device is None:
            return None
        label = name if name and name.strip() else device.name
        return self._trust(device.fingerprint, label)

    def deny(self, device_id: int) -> bool:
        """Send a device away; it may knock again. False: no such device waits."""
        self._need_plane()
        device = self._pending.get(device_id)
        if device is None:
            return False
        self._pending.drop(device.fingerprint)
        self.on_denied(device.fingerprint)
        return True

    # --- for the native plane ----------------------------------------------------------------

    def enable(self) -> None:
        """The plane listens from here on."""
        self._enabled = True

    def is_paired(self, fingerprint: Fingerprint) -> bool:
        return self.store.get(fingerprint) is not None

    def begin(self) -> str:
        """Start a ceremony and return the PIN; see `PinWindow.begin`."""
        return self._window.begin()

    def spend(self, pin: str) -> None:
        """The challenge has gone out: the PIN is used up, right or wrong."""
        self._window.spend(pin)

    def proved(self, fingerprint: Fingerprint, name: str) -> NativeClient:
        """The device proved the PIN: pair it.

        Raises:
            Refused: there is no room.
            OSError: it could not be written, so it is not trusted.
        """
        return self._trust(fingerprint, name)

    def knock(self, fingerprint: Fingerprint, name: str, address: str) -> PendingDevice:
        """An unpaired device came from an IP address: let a person decide."""
        device = self._pending.knock(fingerprint, name, ip_address(address))
        self.on_knocked(device)
        return device

    def _trust(self, fingerprint: Fingerprint, name: str) -> NativeClient:
        client = NativeClient(
            fingerprint=fingerprint,
            name=readable_name(name, fingerprint),
            paired_at_unix=int(time.time()),
        )
        self.store.add(client)
        self._pending.drop(fingerprint)
        log.info("paired", extra={"client": client.name, "fingerprint": fingerprint})
        return client

    def _need_plane(self) -> None:
        if not self._enabled:
            raise Refused("the native protocol is not enabled on this host", status=503)
