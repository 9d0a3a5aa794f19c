"""Takes out of a text what others need not know: secrets, and who and where its writer is."""

import contextlib
import os
import pwd
import re
import socket
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from punktfunk.model.log_text import one_line, redacted

HIDDEN = "***"
NAME_PREFIX, FINGERPRINT_PREFIX = 3, 8
_MIN_SECRET_CHARS = 4
_NOBODY = frozenset({"root", "punktfunk", "localhost"})
"""Names of users and machines that tell nothing, and words of ours."""

_WEB_ADDRESS = re.compile(r"\b\w+://[^\s\"'<>]+")
_HARDWARE_ADDRESS = re.compile(r"\b[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}\b")
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{0,4}:[0-9a-fA-F:.]{1,45})(?!\w)"
)
_LONG = re.compile(r"[\w+=-]{32,}", re.ASCII)


class Blotter:
    """Begins with the home folder, the user and the machine of this process."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._names: dict[str, str] = {}
        # A container may run as a user without an entry.
        with contextlib.suppress(RuntimeError):
            home = Path("~").expanduser()
            self._names |= {str(it): "~" for it in (home, home.resolve()) if it.name}
        with contextlib.suppress(KeyError):
            user = pwd.getpwuid(os.getuid())
            self._call(user.pw_name, "(user)")
            self._call(user.pw_gecos.partition(",")[0], "(user)")
        for host in (socket.gethostname(), socket.gethostname().partition(".")[0]):
            self._call(host, "(host)")

    def add_secrets(self, texts: Iterable[str]) -> None:
        """Take these out wherever they stand, also inside words."""
        for text in texts:
            found = (text, one_line(text), repr(text)[1:-1])
            self._secrets.update(it for it in found if len(it) >= _MIN_SECRET_CHARS)

    def add_devices(self, names: Iterable[str], fingerprints: Iterable[str]) -> None:
        """Leave only the beginning of these."""
        for name in names:
            for text in (name, one_line(name)):
                if len(text) > NAME_PREFIX:
                    self._names.setdefault(text, f"{text[:NAME_PREFIX]}…")
        for fingerprint in fingerprints:
            if len(fingerprint) > FINGERPRINT_PREFIX:
                self._names[fingerprint] = f"{fingerprint[:FINGERPRINT_PREFIX]}…"

    def blotted(self, lines: Iterable[str]) -> list[str]:
        """Return the lines without all that, and without what looks like a secret."""
        names = {name.lower(): instead for name, instead in self._names.items()}
        steps: list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = [
            (_any_of(self._secrets), lambda _: HIDDEN),
            (_any_of(names, r"(?<!\w)(?:{})(?!\w)"), lambda it: names.get(it[0].lower(), HIDDEN)),
            (_WEB_ADDRESS, lambda it: _without_path(it[0])),
            (_LONG, lambda it: _unless_a_word(it[0])),
            (_HARDWARE_ADDRESS, lambda _: HIDDEN),
            (_ADDRESS, lambda it: _unless_public(it[0])),
        ]
        blotted = []
        for line in lines:
            text = redacted(one_line(line))
            for pattern, instead in steps:
                text = pattern.sub(instead, text)
            blotted.append(text)
        return blotted

    def _call(self, name: str, instead: str) -> None:
        if name and name.lower() not in _NOBODY:
            self._names.setdefault(name, instead)


def _any_of(words: Iterable[str], around: str = "(?:{})") -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    if not longest_first:
        return re.compile(r"(?!)")
    return re.compile(around.format("|".join(map(re.escape, longest_first))), re.IGNORECASE)


def _without_path(text: str) -> str:
    try:
        parts = urlsplit(text)
        place = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    except ValueError:
        return HIDDEN
    return f"{parts.scheme}://{place}{'/…' if parts.path.strip('/') or parts.query else ''}"


def _unless_a_word(text: str) -> str:
    """Letters and digits mixed, at such a length, are a key or a number of somebody's."""
    mixed = any(it.isdigit() for it in text) and any(it.isalpha() for it in text)
    return HIDDEN if mixed else text


def _unless_public(text: str) -> str:
    try:
        return "(public address)" if ip_address(text.rstrip(".:")).is_global else text
    except ValueError:
        return text
