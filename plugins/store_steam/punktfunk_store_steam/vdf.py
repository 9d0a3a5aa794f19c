"""Valve's KeyValues: the text form of manifests, and the binary form of shortcuts.

Both parsers take time in proportion to the bytes they are given, and whatever these are,
nothing but `VdfError` is raised. Keys are lower case here: Steam does not distinguish.
"""

import re
from collections.abc import Iterator
from typing import TypeAlias

MAX_DEPTH = 32
MAX_VALUES = 200_000

Node: TypeAlias = dict[str, "str | int | Node"]

_TOKEN = re.compile(
    r"""
    (?: \s++ | //[^\n]*+ )*+
    (?: "([^"\\]*+ (?:\\.[^"\\]*+)*+)" | ([{}]) | ([^\s{}"]++) | \Z )
    """,
    re.DOTALL | re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "\\": "\\", '"': '"'}

_MAP, _STRING, _END = 0x00, 0x01, 0x08
_SIZES_BYTES = {0x02: 4, 0x03: 4, 0x04: 4, 0x06: 4, 0x07: 8, 0x0A: 8}


class VdfError(ValueError):
    """The file is damaged or no such file.

    Attributes:
        partial: What a text said before the place of the damage.
    """

    def __init__(self, message: str, partial: Node | None = None) -> None:
        super().__init__(message)
        self.partial: Node = partial or {}


def parse_text(data: bytes) -> Node:
    """Read a whole file in the text form. Of a key given twice, the first counts.

    Bytes that are not UTF-8 become lone surrogates, as in file names.
    """
    text = data.decode("utf-8-sig", "surrogateescape")
    root: Node = {}
    open_maps = [root]
    key: str | None = None
    position = 0
    for _ in range(MAX_VALUES * 2):
        token = _TOKEN.match(text, position)
        if token is None:
            raise VdfError(f"an open quote after character {position}", root)
        position = token.end()
        quoted, brace, bare = token.groups()
        if token.lastindex is None:
            if key is not None or len(open_maps) > 1:
                raise VdfError("it ends in the middle", root)
            return root
        if brace == "{":
            if key is None or len(open_maps) > MAX_DEPTH:
                raise VdfError(f"an unexpected brace at character {position}", root)
            child: Node = {}
            open_maps[-1].setdefault(key, child)
            open_maps.append(child)
            key = None
        elif brace == "}":
            if key is not None or len(open_maps) == 1:
                raise VdfError(f"an unexpected brace at character {position}", root)
            open_maps.pop()
        else:
            word = bare if quoted is None else _ESCAPE.sub(_unescape, quoted)
            if key is None:
                key = word.lower()
            else:
                open_maps[-1].setdefault(key, word)
                key = None
    raise VdfError("too many values", root)


def binary_entries(data: bytes) -> Iterator[Node]:
    """Yield each map inside the outermost one of a file in the binary form.

    Numbers are read as unsigned.

    Raises:
        VdfError: when the place of the damage is reached; the maps before it were yielded.
    """
    reader = _BinaryReader(data)
    if reader.kind() != _MAP:
        raise VdfError("it does not begin with a map")
    reader.string()
    while (kind := reader.kind()) != _END:
        reader.string()
        if kind == _MAP:
            yield reader.map(depth=2)
        else:
            reader.value(kind)


def text_of(node: Node, key: str) -> str:
    """Return a string, or an empty one where there is none."""
    value = node.get(key)
    return value if isinstance(value, str) else ""


def map_of(node: Node, key: str) -> Node:
    """Return a map, or an empty one where there is none."""
    value = node.get(key)
    return value if isinstance(value, dict) else {}


def _unescape(escape: re.Match[str]) -> str:
    return _ESCAPED.get(escape[1], escape[0])


class _BinaryReader:
    """Takes values from the front; every method raises `VdfError` at the end of the bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0
        self._values = 0

    def kind(self) -> int:
        self._values += 1
        if self._values > MAX_VALUES:
            raise VdfError("too many values")
        return self._take(1)[0]

    def string(self) -> str:
        end = self._data.find(b"\0", self._position)
        if end < 0:
            raise VdfError("it ends in the middle of a text")
        text = self._take(end - self._position).decode("utf-8", "surrogateescape")
        self._position += 1
        return text

    def map(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise VdfError("nested too deep")
        found: Node = {}
        while (kind := self.kind()) != _END:
            key = self.string().lower()
            value = self.map(depth + 1) if kind == _MAP else self.value(kind)
            found.setdefault(key, value)
        return found

    def value(self, kind: int) -> str | int:
        if kind == _STRING:
            return self.string()
        if kind not in _SIZES_BYTES:
            raise VdfError(f"a value of the unknown kind {kind}")
        return int.from_bytes(self._take(_SIZES_BYTES[kind]), "little")

    def _take(self, count: int) -> bytes:
        taken = self._data[self._position : self._position + count]
        if len(taken) < count:
            raise VdfError("it ends in the middle")
        self._position += count
        return taken
