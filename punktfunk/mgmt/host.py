"""What the management API needs of the rest of the host."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from punktfunk.config import LoadedConfig
from punktfunk.config.editing import ConfigChange
from punktfunk.events import EventBus, Feed
from punktfunk.library import Library
from punktfunk.mgmt.audit import Audit
from punktfunk.mgmt.operations_values import Examined, Outlook
from punktfunk.mgmt.values import HostInfo, Leftover, LogLine, SessionView
from punktfunk.model.clients import Fingerprint, PairedClient
from punktfunk.model.offers import Choice
from punktfunk.registry.report import PluginReport
from punktfunk.stats import Stats
from punktfunk.trust.held_off import HeldOff
from punktfunk.trust.native import NativePairing
from punktfunk.trust.pairing import PendingPairing
from punktfunk.trust.tokens import TokenStore


class Config(Protocol):
    """The configuration of the running host."""

    @property
    def loaded(self) -> LoadedConfig:
        """As it is now."""

    @property
    def waiting(self) -> frozenset[str]:
        """Settings that were changed and need a new start."""

    def change(self, changes: Mapping[str, object], unset: Sequence[str]) -> ConfigChange:
        """Write changes into the file and take them over.

        Raises:
            ConfigError: a key or a value is not one; nothing was changed.
            OSError: the file could not be written.
        """

    def override(
        self,
        app: str,
        client: str,
        values: Mapping[str, object],
        expected: Mapping[str, object] | None = None,
    ) -> ConfigChange:
        """Have just the sessions of an app, a client or both get values of their own.

        Args:
            expected: What they have until now, as far as the caller knows; None for whatever.

        Raises:
            Refused: they have something else; nothing was changed.
            ConfigError: a name or a value is not one; nothing was changed.
            OSError: the file could not be written.
        """

    def reload(self) -> ConfigChange:
        """Take over what the file says now.

        Raises:
            ConfigError: it is not valid; everything stays as it was.
        """


class Log(Protocol):
    """The last log lines, without secrets."""

    @property
    def feed(self) -> Feed[LogLine]:
        """The lines, for who follows."""

    def last(self, limit: int, level: str) -> Sequence[LogLine]:
        """Return the newest lines of at least this level, oldest first."""


class Operations(Protocol):
    """Looking after the host."""

    @property
    def config(self) -> Config: ...

    @property
    def log(self) -> Log: ...

    @property
    def examined(self) -> Examined | None:
        """What the doctor found last; None before that."""

    def plugins(self) -> Sequence[PluginReport]:
        """Every installed plugin, what it offers and why it does not."""

    def outlooks(self) -> Sequence[Outlook]:
        """What a launch of the desktop would take now, in each of the two ways."""

    async def probe(self) -> None:
        """Ask every plugin again. Whoever asks meanwhile waits for the same answers."""

    async def doctor(self) -> Mapping[str, Any]:
        """Look at the machine anew, as `punktfunk doctor --json` does. Never twice at a time."""

    def leftovers(self) -> Sequence[Leftover]:
        """Everything sessions have done to this machine and not taken back yet."""

    async def undo(self) -> Sequence[Leftover]:
        """Take back what no running session needs; return what is still there."""

    def forget_effect(self, entry_id: str) -> bool:
        """Forget something that cannot be taken back. False: nothing has that id.

        Raises:
            Refused: its session runs, or it is being taken back.
        """


class MgmtHost(Protocol):
    """Answers for the routes; all are called on the host's event loop.

    Whatever is raised on purpose becomes an answer: `ProtocolError` is 400, `Refused` has
    its own status (409 when not given), `DriverUnavailable` and `OSError` are 503.
    """

    @property
    def events(self) -> EventBus:
        """What happens in the host."""

    @property
    def native(self) -> NativePairing:
        """Who may use the native protocol."""

    @property
    def tokens(self) -> TokenStore:
        """Who may use this API, besides the administrator."""

    @property
    def audit(self) -> Audit:
        """Where changes are noted."""

    @property
    def stats(self) -> Stats:
        """What streams do, the running capture and the recordings."""

    @property
    def library(self) -> Library:
        """All games, and the entries of a person's own."""

    @property
    def operations(self) -> Operations:
        """Plugins, configuration, log, health and leftovers."""

    def info(self) -> HostInfo:
        """Who this host is and what it can do."""

    def sessions(self) -> Sequence[SessionView]:
        """Every session that is not ending, oldest first."""

    def clients(self) -> Sequence[PairedClient]:
        """The paired ones, in the order they were paired."""

    async def unpair(self, fingerprint: Fingerprint) -> bool:
        """Shut a client out and end what it has running. False: it is not paired.

        Raises:
            OSError: it is shut out, but the store could not be written.
        """

    def rename(self, fingerprint: Fingerprint, name: str) -> PairedClient | None:
        """Call a client what a person calls it. None: it is not paired.

        Raises:
            ProtocolError: the name is empty.
            OSError: it could not be written; nothing has changed.
        """

    def held_off(self) -> Sequence[HeldOff]:
        """The devices that may not try to pair again yet."""

    def pending_pairings(self) -> Sequence[PendingPairing]:
        """The devices that wait for a PIN, oldest first."""

    def submit_pin(self, pin: str, attempt_id: int | None) -> None:
        """See `punktfunk.trust.pairing.PairingService.submit_pin`."""

    async def stop_sessions(self, session_id: int | None) -> None:
        """End one session or, with None, all. Returns when they are gone."""

    async def stop_stream(self, stream_id: int) -> bool:
        """End one client's stream; a guest leaves the session with it, the app stays.

        Returns False when there is no such stream.
        """

    def request_keyframes(self, session_id: int | None = None) -> bool:
        """Ask encoders for an IDR frame, of one session or of all. False: nothing streams."""

    def compositors(self) -> Choice:
        """Which compositor an app without a wish gets, and why not the others."""
