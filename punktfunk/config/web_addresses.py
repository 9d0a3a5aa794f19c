"""Web addresses as people write them."""

from urllib.parse import urlsplit

MAX_CHARACTERS = 2_000


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


def without_path(text: str) -> str:
    """What may be shown of a web address: paths of webhooks are often as good as a password."""
    if not is_web_address(text):
        return "…"
    parts = urlsplit(text)
    return f"{parts.scheme}://{parts.netloc}/…"
