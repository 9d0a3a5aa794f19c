"""Reading nvhttp's query strings: names in any case, every value checked.

docs/protocol/gamestream.md, section 2.1.
"""

import re
from urllib.parse import parse_qsl

from punktfunk.errors import ProtocolError

MAX_PARAMETERS = 64
MAX_TARGET_CHARS = 32_768

_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")
_NUMBER = re.compile(r"-?[0-9]{1,10}")


class Query:
    """The parameters of one request. Every method raises ProtocolError on a bad value.

    Values stay out of error texts: some of them are keys.
    """

    def __init__(self, text: str) -> None:
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
        except ValueError as error:
            raise ProtocolError("too many parameters") from error
        self._values: dict[str, str] = {}
        for name, value in pairs:
            if name.lower() in self._values:
                raise ProtocolError("a parameter is there twice")
            self._values[name.lower()] = value

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._values

    def text(self, name: str, default: str = "") -> str:
        return self._values.get(name.lower(), default)

    def hex(self, name: str) -> bytes:
        """Required, of any length."""
        text = self.text(name)
        if not text or not _HEX.fullmatch(text):
            raise ProtocolError(f"{name} is not hexadecimal")
        return bytes.fromhex(text)

    def number(self, name: str, least: int, most: int, default: int | None = None) -> int:
        """Decimal. Required unless there is a default; blank counts as absent."""
        text = self.text(name)
        if not text:
            if default is None:
                raise ProtocolError(f"{name} is missing")
            return default
        if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
            raise ProtocolError(f"{name} is not a number from {least} to {most}")
        return int(text)

    def flag(self, name: str) -> bool:
        """1 is yes; 0, blank and absent are no."""
        return self.number(name, 0, 1, default=0) == 1


def split_target(target: bytes) -> tuple[str, Query]:
    """Split a request line's target into path and parameters.

    Raises:
        ProtocolError: not a path of this server, or more than `MAX_TARGET_CHARS`.
    """
    if len(target) > MAX_TARGET_CHARS or not target.startswith(b"/") or not target.isascii():
        raise ProtocolError("the request's target is not a path")
    path, _, query = target.decode("ascii").partition("?")
    return path, Query(query)
