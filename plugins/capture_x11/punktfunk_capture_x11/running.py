"""The X server that this user looks at: which one it is, and whether it can be shown."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import attrs

from punktfunk.plugin import DriverUnavailable
from punktfunk_capture_x11.displays import FIRST_NUMBER, holder_of, socket_path

HINT = 'log in to a desktop on X11, or set mode = "own" in [desktop]'

_LOCAL = re.compile(r"(?:unix)?:(?P<number>\d{1,4})(?:\.\d+)?")


@attrs.frozen
class RunningServer:
    """Attributes:
    authority: The file with its cookie; None where it needs none.
    """

    number: int
    authority: Path | None

    @property
    def environment(self) -> dict[str, str]:
        """How programs reach it."""
        display = {"DISPLAY": f":{self.number}"}
        return {**display, "XAUTHORITY": str(self.authority)} if self.authority else display


def running_server(environment: Mapping[str, str]) -> RunningServer:
    """Find the server of the user whose session variables these are.

    A host that the user manager started may have no `DISPLAY`: then it is the first server
    that this user has started.

    Raises:
        DriverUnavailable: there is none, or it is on another machine.
    """
    name = environment.get("DISPLAY", "")
    if name:
        found = _LOCAL.fullmatch(name)
        if found is None:
            raise DriverUnavailable("x11", f"DISPLAY is {name!r}: not this machine's", hint=HINT)
        number = int(found["number"])
    else:
        number = next(_own_servers(), -1)
    if number < 0 or not socket_path(number).is_socket():
        raise DriverUnavailable("x11", "no X server runs for this user", hint=HINT)
    return RunningServer(number, _authority(environment))


def _own_servers() -> Iterator[int]:
    """Ours are left out by their numbers."""
    for number in range(FIRST_NUMBER):
        with suppress(FileNotFoundError):
            if Path(f"/proc/{holder_of(number)}").stat().st_uid == os.getuid():
                yield number


def _authority(environment: Mapping[str, str]) -> Path | None:
    named = environment.get("XAUTHORITY")
    places = [Path(named)] if named else []
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        places.append(Path(runtime, "gdm", "Xauthority"))
    if home := environment.get("HOME"):
        places.append(Path(home, ".Xauthority"))
    return next((it for it in places if it.is_file()), None)
