"""Web addresses as people write them."""

import re
from urllib.parse import urlsplit

MAX_CHARACTERS = 2_000

_PART = re.compile(r"[\w.~-]+", re.ASCII)
_NOT_FIRST = ("api", "metrics")
"""Where the API is: a page below would not be told from it."""


def is_web_address(text: str) -> bool:
    """Say whether it is a complete http or https URL, without user, password or fragment."""
    if not text.isascii() or not text.isprintable() or set(text) & set(' <>"\\'):
        return False
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    return (
        len(text) <= MAX_CHARACTERS
        and parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and "%" not in parts.netloc
        and "@" not in parts.netloc
        and not parts.fragment
        and port != 0
    )


def is_public_url(text: str) -> bool:
    """Say whether it can be the address of a whole site, or is empty."""
    if not text:
        return True
    if not is_web_address(text) or "?" in text:
        return False
    parts = urlsplit(text).path.strip("/").split("/")
    if parts[0] in _NOT_FIRST:
        return False
    return parts == [""] or all(_PART.fullmatch(it) and set(it) != {"."} for it in parts)


def without_path(text: str) -> str:
    """What may be shown of a web address: paths of webhooks are often as good as a password."""
    if not is_web_address(text):
        return "…"
    parts = urlsplit(text)
    return f"{parts.scheme}://{parts.netloc}/…"
