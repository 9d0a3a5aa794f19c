"""Command lines with places to fill: split once, never given to a shell."""

import re
import shlex
from pathlib import Path

import attrs

_PLACE = re.compile(r"\{(rom|folder|name|core)\}")
_LONGEST = 4_096


class TemplateError(ValueError):
    """The text cannot become a command line; the message says why."""


@attrs.frozen
class Template:
    """An argv with places in it.

    Attributes:
        words: Each becomes exactly one argument, whatever is filled in.
    """

    words: tuple[str, ...]
    core: str = ""

    @property
    def program(self) -> str:
        return self.words[0]

    def fill(self, rom: Path) -> tuple[str, ...] | None:
        """Return the argv for a game; None when its name could be taken for an option."""
        values = {
            "rom": str(rom),
            "folder": str(rom.parent),
            "name": rom.stem,
            "core": self.core,
        }
        filled = tuple(_PLACE.sub(lambda place: values[place[1]], word) for word in self.words)
        if any(
            argument.startswith("-") and not word.startswith("-")
            for word, argument in zip(self.words, filled, strict=True)
        ):
            return None
        return filled


def parse_template(text: str, home: str) -> Template:
    """Read what a person wrote; quotes group, and `~/` is the home folder.

    Raises:
        TemplateError: no command line, or without a place for the game.
    """
    if "\0" in text or len(text) > _LONGEST:
        raise TemplateError("it is no command line")
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise TemplateError(str(error).lower()) from None
    places = {place for word in words for place in _PLACE.findall(word)}
    if not words or _PLACE.search(words[0]):
        raise TemplateError("it does not begin with a program")
    if not places & {"rom", "name"}:
        raise TemplateError("it has no {rom} in it")
    if "core" in places:
        raise TemplateError("{core} is for the built-in ones; write the core's path")
    return Template(tuple(expand_home(word, home) for word in words))


def expand_home(text: str, home: str) -> str:
    """Put the home folder in for a leading `~`; there is no other user's."""
    if home and (text == "~" or text.startswith("~/")):
        return home + text[1:]
    return text
