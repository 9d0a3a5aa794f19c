"""Apps a client may launch, and how they are started."""

from collections.abc import Iterable, Mapping
from hashlib import sha256

import attrs


def _argv(parts: Iterable[str]) -> tuple[str, ...]:
    return tuple(parts)


@attrs.frozen(kw_only=True)
class LaunchSpec:
    """How to start an app: an argv list, never a shell string.

    An empty `argv` starts nothing: the session is the desktop itself.

    Attributes:
        folder: Absolute working directory; empty means the home folder.
        process_sign: For programs which hand over to another and end, or never end: a text
            that stands, as a word, in an argument of the running game's own processes, such
            as `AppId=570`. The app has ended when such processes came and went. Empty: it
            has ended when the program in `argv` and all it started have.
    """

    argv: tuple[str, ...] = attrs.field(default=(), converter=_argv)
    environment: Mapping[str, str] = attrs.field(factory=dict)
    folder: str = ""
    process_sign: str = ""


@attrs.frozen(kw_only=True)
class PrepCommand:
    """What to run before an app starts, and how to take it back afterwards.

    Attributes:
        do: argv; it has a time limit, and the launch is refused when it fails. May be empty.
        undo: argv; runs after the session however that ended. May be empty.
    """

    do: tuple[str, ...] = attrs.field(default=(), converter=_argv)
    undo: tuple[str, ...] = attrs.field(default=(), converter=_argv)


@attrs.frozen(kw_only=True)
class App:
    """An entry of the app list.

    Attributes:
        library_id: `store:key`, stable for ever; Moonlight's number is made from it.
        wishes: Drivers this app asks for by name, by kind (`{"capture": "testcard"}`).
            A wish is never replaced by something else in silence.
        number: Moonlight's number, where it is not the one made from `library_id`.
    """

    library_id: str
    title: str
    launch: LaunchSpec = attrs.field(factory=LaunchSpec)
    wishes: Mapping[str, str] = attrs.field(factory=dict)
    desktop_like: bool = False
    number: int | None = None

    @property
    def moonlight_id(self) -> int:
        """A positive 31-bit number, the same after every restart."""
        return self.number or moonlight_number(self.library_id)


def moonlight_number(library_id: str, attempt: int = 0) -> int:
    """Make a positive 31-bit number of an id.

    Args:
        attempt: Another number for the same id, where the one before was taken.
    """
    text = f"{library_id}#{attempt}" if attempt else library_id
    return int.from_bytes(sha256(text.encode()).digest()[:4], "big") >> 1 or 1
