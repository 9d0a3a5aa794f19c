"""What may stand in a log line: nothing secret, nothing that forges a line."""

import re

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
