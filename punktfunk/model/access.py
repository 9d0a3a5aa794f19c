"""What the holder of a token may do at the management API."""

from enum import Enum


class Scope(Enum):
    """From least to most; each includes those before it."""

    READ = "read"
    CONTROL = "control"
    ADMIN = "admin"

    def includes(self, needed: "Scope") -> bool:
        order = list(Scope)
        return order.index(self) >= order.index(needed)
