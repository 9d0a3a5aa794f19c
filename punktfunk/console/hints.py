"""Commands in what the host says a person can do, to take them along."""

import re

_PROGRAMS = "apt|apt-get|dnf|modprobe|pacman|pip|punktfunk|sudo|systemctl|usermod"
_ONLY_A_COMMAND = re.compile(rf"(?:{_PROGRAMS}) [\w./@:=+, -]+")
_QUOTED = re.compile(r"`([^`]{2,400})`")
_WORDS_AFTER = re.compile(r"\b(?:and|or|on|the|to|it|some|again)\b|, ")


def command_of(hint: str) -> str:
    """The first command that a hint names; empty where it names none."""
    if quoted := _QUOTED.search(hint):
        return quoted[1] if " " in quoted[1] else ""
    whole = _ONLY_A_COMMAND.fullmatch(hint) and not _WORDS_AFTER.search(hint)
    return hint if whole else ""
