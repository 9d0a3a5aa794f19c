"""Comments of a file that a program edits: none is lost, and each stays above what it is about.

tomlkit takes what stands above `[next]` for the end of the table before it. So a text is cut in
blocks, a table each; tomlkit edits them without what stands between them, and that is put back.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Sequence

import attrs
import tomlkit

_MARK = " #block-"
_MARKED = re.compile(rf"{_MARK}([0-9]+)\s*$")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


@attrs.frozen
class _Block:
    """A table, or what stands before the first one.

    Attributes:
        above: Comments and empty lines between it and the block before.
        lines: From its header to its last value.
        below: Comments that follow its last value at once, and are not about the next block.
    """

    above: Sequence[str]
    lines: Sequence[str]
    below: Sequence[str]

    def comments(self) -> Sequence[str]:
        """What is left without the table: about nothing that follows."""
        left: list[str] = []
        for line in (*self.above, *self.lines, *self.below):
            if _is_comment(line):
                left.append(line)
            elif left and left[-1].strip():
                left.append("\n")
        return _without_end(left)


def edited(text: str, edit: Callable[[tomlkit.TOMLDocument], None]) -> str:
    """Edit a TOML text, and keep every line that is a comment.

    A comment whose table or value is gone stays where it was, with an empty line after it. What
    comes out ends with a line's end.

    Raises:
        TOMLKitError, TypeError, ValueError: it is no TOML, or cannot be edited that way.
    """
    tomllib.loads(text)
    before = _blocks(_ended(text))
    document = tomlkit.parse("".join(_marked(before)))
    edit(document)
    dumped = tomlkit.dumps(document)
    after = [(_number_of(block), block) for block in _cut(_ended(dumped))]
    there = {number for number, _lines in after}
    gone = [number for number in range(len(before)) if number not in there]
    made: list[str] = []
    for number, lines in after:
        if number is None:
            _add_apart(made, _without_end(lines))
            continue
        while gone and gone[0] < number:
            _add_apart(made, before[gone.pop(0)].comments())
        old = before[number]
        headers = 1 if number else 0
        header = [_unmarked(*both) for both in zip(old.lines, lines[:headers], strict=False)]
        _add_below(made, [*old.above, *header])
        made.extend(_with_comments(old.lines[headers:], lines[headers:]))
        _add_below(made, old.below)
    for number in gone:
        _add_apart(made, before[number].comments())
    with_comments = "".join(made)
    if tomllib.loads(with_comments) != tomllib.loads(dumped):
        raise ValueError("its comments cannot be kept")
    return with_comments


def _blocks(text: str) -> Sequence[_Block]:
    blocks: list[_Block] = []
    above: Sequence[str] = ()
    pieces = _cut(text)
    for piece in pieces:
        lines = _without_end(piece, also=_is_comment)
        while not _is_whole("".join(lines)):  # that was the end of a string
            lines = piece[: len(lines) + 1]
        rest = piece[len(lines) :]
        paragraph = next((at for at, it in enumerate(rest) if not it.strip()), 0)
        if piece is pieces[-1]:
            paragraph = len(rest)
        elif not lines:  # of the whole file, or of the first table: nothing stands above them
            paragraph = 0
        blocks.append(_Block(above, lines, rest[:paragraph]))
        above = rest[paragraph:]
    return blocks


def _cut(text: str) -> Sequence[Sequence[str]]:
    """Lines before the first header, and those of each table; text must be TOML."""
    pieces: list[list[str]] = [[]]
    for line in _LINE.findall(text):
        if line.lstrip().startswith("[") and _is_whole("".join(pieces[-1])):
            pieces.append([])
        pieces[-1].append(line)
    return pieces


def _is_whole(text: str) -> bool:
    """Else what follows is still in a list or a string of many lines."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _marked(blocks: Sequence[_Block]) -> Iterable[str]:
    for number, block in enumerate(blocks):
        header = block.lines[:1] if number else []
        yield from (f"{it.rstrip()}{_MARK}{number}\n" for it in header)
        yield from block.lines[len(header) :]


def _number_of(lines: Sequence[str]) -> int | None:
    """Which block it was; None for a new one."""
    if not lines or not lines[0].lstrip().startswith("["):
        return 0
    found = _MARKED.search(lines[0])
    return int(found[1]) if found else None


def _unmarked(old: str, new: str) -> str:
    """A header as it was, down to how its line ends, or as it is now called."""
    plain = _MARKED.sub("", new)
    return old if old.rstrip() == plain else f"{plain}\n"


def _with_comments(old: Sequence[str], new: Sequence[str]) -> Sequence[str]:
    """Put back what was lost with a value, and nothing new right below a comment."""
    waiting = [
        (line, _key(old[at + 1 : at + 2])) for at, line in enumerate(old) if _is_comment(line)
    ]
    lines: list[str] = []
    below = ""

    def add(line: str) -> None:
        if lines and _is_comment(lines[-1]) and _key([line]) not in ("", below):
            lines.append("\n")
        lines.append(line)

    for line in new:
        if line not in [comment for comment, _below in waiting]:
            add(line)
            continue
        while waiting[0][0] != line:
            comment, its = waiting.pop(0)
            add(comment)
            below = its
        add(line)
        below = waiting.pop(0)[1]
    for comment, its in waiting:
        add(comment)
        below = its
    return _without_end(lines)


def _key(lines: Sequence[str]) -> str:
    return "".join(lines).partition("=")[0].strip()


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _without_end(
    lines: Sequence[str], also: Callable[[str], bool] = lambda line: False
) -> Sequence[str]:
    """Leave out empty lines at the end."""
    end = len(lines)
    while end and (not lines[end - 1].strip() or also(lines[end - 1])):
        end -= 1
    return lines[:end]


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _add_apart(made: list[str], lines: Sequence[str]) -> None:
    """With an empty line before."""
    if made and made[-1].strip() and lines:
        made.append("\n")
    made.extend(lines)


def _add_below(made: list[str], lines: Sequence[str]) -> None:
    """What is made so far may end with a comment that has lost what it is about."""
    if made and _is_comment(made[-1]) and lines and lines[0].strip():
        made.append("\n")
    made.extend(lines)
