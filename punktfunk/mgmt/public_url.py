"""Where a reverse proxy shows this host, as browsers see it."""

from typing import Self
from urllib.parse import urlsplit

import attrs

_USUAL_PORTS = {"http": 80, "https": 443}


@attrs.frozen
class PublicUrl:
    """Attributes:
    name: The host alone, as it may stand in a `Host` header.
    origin: As browsers send it.
    prefix: The path without a slash at its end; empty for none.
    """

    name: str
    origin: str
    prefix: str

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read what `punktfunk.config.web_addresses.is_public_url` accepts; None for empty."""
        if not text:
            return None
        parts = urlsplit(text)
        name = parts.hostname or ""
        written = f"[{name}]" if ":" in name else name
        port = "" if parts.port in (None, _USUAL_PORTS[parts.scheme]) else f":{parts.port}"
        return cls(name, f"{parts.scheme}://{written}{port}", parts.path.rstrip("/"))

    @property
    def is_https(self) -> bool:
        return self.origin.startswith("https:")
