"""What the API says about native pairing, tokens and ways in, as values."""

import attrs

from punktfunk.model.access import Scope
from punktfunk.trust.tokens import ScopedToken


@attrs.frozen(kw_only=True)
class ArmNativePairing:
    ttl_secs: int | None = None


@attrs.frozen(kw_only=True)
class NativePairStatus:
    """Attributes:
    enabled: The native protocol's plane runs in this host.
    pin: To be shown while pairing is armed.
    """

    enabled: bool
    armed: bool
    pin: str | None = attrs.field(repr=False)
    expires_in_secs: int | None
    paired_clients: int


@attrs.frozen(kw_only=True)
class ApprovePending:
    name: str | None = None


@attrs.frozen(kw_only=True)
class CreateToken:
    scope: Scope
    name: str | None = None
    expires_days: int | None = None


@attrs.frozen(kw_only=True)
class CreatedToken:
    """Attributes:
    token: The text itself; told this once.
    """

    token: str = attrs.field(repr=False)
    info: ScopedToken


@attrs.frozen(kw_only=True)
class ConsoleLink:
    """Attributes:
    code: Stands behind `/login?link#code=`; good once.
    """

    code: str = attrs.field(repr=False)
    expires_in_s: int
