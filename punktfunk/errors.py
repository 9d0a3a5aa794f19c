"""Everything punktfunk raises on purpose."""

from typing import ClassVar


class PunktfunkError(Exception):
    """Catch this to catch anything we raise on purpose.

    `fields` say what the message says, for programs. Secrets never enter them.
    """

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, **fields: object) -> None:
        super().__init__(message)
        self.fields = fields


class ProtocolError(PunktfunkError):
    """The peer broke the protocol; it is the peer's fault."""

    code = "protocol"


class Refused(PunktfunkError):
    """We understood the request and will not do it. The message says why, to a person."""

    code = "refused"


class DriverUnavailable(PunktfunkError):
    """A driver was asked for by name and cannot run here."""

    code = "driver_unavailable"

    def __init__(
        self, driver: str, reason: str, available: tuple[str, ...] = (), hint: str = ""
    ) -> None:
        choices = ", ".join(available) or "none"
        super().__init__(f"{driver} cannot run here: {reason} (available: {choices})")
        self.driver, self.reason, self.available, self.hint = driver, reason, available, hint


class DriverFailed(PunktfunkError):
    """A driver that was running stopped working; the session cannot go on with it."""

    code = "driver_failed"


class DisplayWithdrawn(DriverFailed):
    """The person at the machine ended the sharing, or said no to it; nobody asks again."""


class LeftAlone(PunktfunkError):
    """Something we had done is not taken back: somebody has changed it since, and it is theirs."""

    code = "left_alone"


class ConfigError(PunktfunkError):
    """A setting is wrong. The message names the place and the setting, in one line."""

    code = "config"


class StateDamaged(PunktfunkError):
    """One of our own files cannot be read. It is never replaced in silence."""

    code = "state_damaged"


class AlreadyRunning(PunktfunkError):
    """Another host uses this configuration folder."""

    code = "already_running"
