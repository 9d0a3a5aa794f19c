"""Whose token came with a request."""

import attrs

from punktfunk.model.access import Scope


@attrs.frozen
class Caller:
    """Attributes:
    token_id: Of a scoped token, or `mgmt-token`.
    edition: Which of the administrator's tokens it was; they count up as new ones are made.
    """

    token_id: str
    name: str
    scope: Scope
    edition: int = 0
