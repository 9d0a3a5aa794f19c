"""The Exec key of a desktop entry: from a line of text to argv, with no shell anywhere.

Follows "The Exec key" of the Desktop Entry Specification 1.5. What it forbids is refused and
not guessed at: a line that one desktop reads one way and the next another way is no argv.
"""

import re
from collections.abc import Iterator

import attrs

from punktfunk_store_desktop.entry import BadEntry

_RESERVED = frozenset("\t\n\"'\\><~|&;$*?#()`")
_ESCAPED_IN_QUOTES = frozenset('"`$\\')
_NO_FILES = frozenset("fFuU")  # nothing is opened with the program
_DEPRECATED = frozenset("dDnNvm")
_ALONE = frozenset("FUi")
_CODE = re.compile("%(.?)", re.DOTALL)


@attrs.frozen(kw_only=True)
class Fields:
    """What field codes stand for.

    Attributes:
        name: The title, translated: `%c`.
        icon: The icon as it is named in the entry: `%i`.
        path: Where the entry is: `%k`.
    """

    name: str
    icon: str
    path: str


def parse_exec(line: str, fields: Fields) -> tuple[str, ...]:
    """Make argv of an Exec line whose string escapes are already undone.

    Raises:
        BadEntry: it breaks the specification's rules, or names no program.
    """
    if "\0" in line:
        raise BadEntry("its Exec has a NUL character")
    argv = tuple(
        argument
        for word, quoted in _words(line)
        for argument in _expand(word, quoted=quoted, fields=fields)
    )
    if not argv or not argv[0]:
        raise BadEntry("its Exec names no program")
    if "=" in argv[0]:
        raise BadEntry("its Exec has an equals sign in the program's name")
    return argv


def _words(line: str) -> Iterator[tuple[str, bool]]:
    """Split a line; says of each word whether it was quoted."""
    position = 0
    while position < len(line):
        if line[position] == " ":
            position += 1
        elif line[position] == '"':
            word, position = _quoted(line, position + 1)
            yield word, True
        else:
            end = line.find(" ", position)
            end = len(line) if end < 0 else end
            word, position = line[position:end], end
            if found := next((char for char in word if char in _RESERVED), ""):
                raise BadEntry(f"its Exec has {found!r} outside of quotes")
            yield word, False


def _quoted(line: str, position: int) -> tuple[str, int]:
    """Read to the closing quote, which must end the word."""
    word: list[str] = []
    while position < len(line):
        char = line[position]
        position += 1
        if char == '"':
            if line[position : position + 1] not in ("", " "):
                raise BadEntry("its Exec has a word that is quoted in part")
            return "".join(word), position
        if char in "$`":
            raise BadEntry(f"its Exec has {char!r} in quotes without a backslash")
        if char == "\\" and line[position : position + 1] in _ESCAPED_IN_QUOTES:
            char = line[position : position + 1]
            position += 1
        word.append(char)
    raise BadEntry("its Exec has a quote that is not closed")


def _expand(word: str, *, quoted: bool, fields: Fields) -> list[str]:
    match = _CODE.fullmatch(word)
    code = match[1] if match else ""
    if code and code in _NO_FILES | _DEPRECATED:
        return []
    if code == "i":
        return ["--icon", fields.icon] if fields.icon else []

    def value(found: re.Match[str]) -> str:
        return _value(found[1], fields, inside_quotes=quoted and not code)

    return [_CODE.sub(value, word)]


def _value(code: str, fields: Fields, *, inside_quotes: bool) -> str:
    """Say what a code inside a word stands for.

    A title or a path is not put into the middle of a quoted word: often that word is a script.
    """
    if code == "%":
        return "%"
    if not code or code not in _NO_FILES | _DEPRECATED | frozenset("ick"):
        raise BadEntry(f"its Exec has the unknown field code '%{code}'")
    if code in _ALONE:
        raise BadEntry(f"its Exec has '%{code}' inside a word")
    if inside_quotes and code in "ck":
        raise BadEntry(f"its Exec has '%{code}' inside quotes")
    return {"c": fields.name, "k": fields.path}.get(code, "")
