"""Files of others that the console brings along: known by name, version, licence and sum."""

import hashlib
import re
from pathlib import Path

import pytest

import punktfunk.console

STATIC = Path(punktfunk.console.__file__).parent / "static"
ROWS = re.findall(
    r"^\| (\S+) \| \[.+\]\(https://\S+\) \| (\S.*) \| (\S+), `(\S+)` \| ([0-9a-f]{64}) \|$",
    (STATIC / "VENDORED.md").read_text(),
    re.MULTILINE,
)
LICENCES = {
    "0BSD": "Zero-Clause BSD",
    "MIT": "The MIT License",
    "OFL-1.1": "SIL Open Font License, Version 1.1",
}


@pytest.mark.parametrize(("name", "version", "licence", "text", "sha256"), ROWS)
def test_a_file_is_as_its_authors_published_it(
    name: str, version: str, licence: str, text: str, sha256: str
) -> None:
    assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == sha256
    assert LICENCES[licence] in (STATIC / text).read_text()
    assert re.match(r"\d+\.\d+\.\d+", version)


def test_whatever_nobody_here_writes_is_listed() -> None:
    minified_and_fonts = {
        it.name for it in STATIC.iterdir() if re.search(r"\.min\.|\.woff2$", it.name)
    }
    licences = {f"licences/{it.name}" for it in (STATIC / "licences").iterdir()}

    assert {name for name, *_ in ROWS} == minified_and_fonts
    assert {text for *_, text, _ in ROWS} == licences
