"""Text that others chose, made fit for a terminal."""


def printable(text: object) -> str:
    """A device or a game may call itself anything, a terminal's escape sequences included."""
    return "".join(letter if letter.isprintable() else "�" for letter in str(text))
