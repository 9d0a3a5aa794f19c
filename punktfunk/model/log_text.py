"""What may stand in a log line: nothing secret, nothing that forges a line."""

import logging
import re

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SECRET = re.compile(
    r"""(?ix)
    (?P<name> \b bearer \s+ | \b pft_
        | \b (?: rikey | rikeyid | pin | (?:punktfunk_)? (?:mgmt_)? token | password | salt
              | clientchallenge | clientpairingsecret ) \b ["']? \s* [=:] \s* b? ["']? )
    (?P<value> [0-9a-z_./+-]{2,} )
    """
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|$)", re.DOTALL
)


def redacted(text: str) -> str:
    """Blot out what looks like a secret. A net under code that should not log one at all."""
    return _SECRET.sub(r"\g<name>***", _PRIVATE_KEY.sub("*** private key ***", text))


def one_line(text: str) -> str:
    """Clients choose their names: none may forge a line or speak to the terminal."""
    return "".join(it if it.isprintable() else f"\\x{ord(it):02x}" for it in text)


def trace_of(record: logging.LogRecord) -> str:
    """Where an error was, in several lines; empty for most records. It is not redacted."""
    if not record.exc_info:
        return ""
    lines = logging.Formatter().formatException(record.exc_info).split("\n")
    return "\n".join(one_line(line) for line in lines)


def message_of(record: logging.LogRecord) -> str:
    """`message (session=1 app=Desktop)`: what a record says, on one line. It is not redacted."""
    line = one_line(record.getMessage())
    extra = {name: value for name, value in vars(record).items() if name not in _OWN}
    if not extra:
        return line
    fields = " ".join(f"{name}={one_line(str(value))}" for name, value in extra.items())
    return f"{line} ({fields})"
