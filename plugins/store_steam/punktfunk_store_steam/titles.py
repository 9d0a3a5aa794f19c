"""Names as others wrote them, made fit to be shown."""

MAX_TITLE_LENGTH = 500


def clean_title(text: str) -> str:
    """Return one line of printable characters; empty when nothing of it can be shown."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(shown.split())[:MAX_TITLE_LENGTH].strip()
