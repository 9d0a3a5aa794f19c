"""Every word of the console is in every catalogue, and every catalogue's words are in the console.

To bring the catalogues up to date after a change of words:

    PUNKTFUNK_UPDATE_WORDS=1 pytest tests/contract/test_console_words.py

English is filled in; what other languages lack is left empty and fails until it is translated.
"""

import functools
import io
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

import punktfunk.console
from punktfunk.config.catalogue import KNOWN
from punktfunk.console.language import LANGUAGES

CONSOLE = Path(punktfunk.console.__file__).parent
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
SHARED = "shell"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")

Id = str | tuple[str, str]


@functools.cache
def said() -> Mapping[str, Mapping[Id, None]]:
    """The texts of each catalogue, as templates and modules have them.

    `templates/home*.html` and `pages/home*.py` are `home`; what more than one page says, and
    everything else, is in `shell`. What settings are for is said by the page of that name.
    """
    pages = {path.stem for path in (CONSOLE / "pages").glob("*.py")} - {"__init__"}
    users: dict[Id, set[str]] = defaultdict(set)
    for path in sorted([*CONSOLE.rglob("*.py"), *CONSOLE.rglob("*.html")]):
        first = re.split(r"[_.]", path.name)[0]
        where = first if first in pages and path.parent.name in ("pages", "templates") else SHARED
        for text in texts_of(path):
            users[text].add(where)
    for known in KNOWN.values():
        users[known.doc].add("settings")
    catalogues: dict[str, dict[Id, None]] = {name: {} for name in (SHARED, *sorted(pages))}
    for text, places in users.items():
        catalogues[places.pop() if len(places) == 1 else SHARED][text] = None
    return catalogues


def texts_of(path: Path) -> Iterator[Id]:
    method = "python" if path.suffix == ".py" else "jinja2.ext:babel_extract"
    for _, text, _, _ in extract_from_file(method, path, keywords=KEYWORDS):
        yield text[:2] if isinstance(text, tuple) else text


def po_path(language: str, name: str) -> Path:
    return CONSOLE / "locale" / language / f"{name}.po"


def read(language: str, name: str) -> dict[Id, Message]:
    path = po_path(language, name)
    catalog = read_po(io.BytesIO(path.read_bytes()), locale=language) if path.exists() else []
    return {it.id: it for it in catalog if it.id}


def bring_up_to_date() -> None:
    known = {
        (language, text): message
        for language in LANGUAGES
        for path in (CONSOLE / "locale" / language).glob("*.po")
        for text, message in read(language, path.stem).items()
    }
    for name, texts in said().items():
        for language in LANGUAGES:
            catalog = Catalog(language)
            for text in texts:
                before = known.get((language, text))
                string = text if language == "en" else before.string if before else ""
                catalog.add(text, string)
            out = io.BytesIO()
            write_po(out, catalog, sort_output=True, omit_header=True, width=100)
            if texts:
                po_path(language, name).write_bytes(out.getvalue())
            else:
                po_path(language, name).unlink(missing_ok=True)


@pytest.fixture(scope="module", autouse=True)
def up_to_date() -> None:
    if os.environ.get("PUNKTFUNK_UPDATE_WORDS"):
        bring_up_to_date()


CATALOGUES = [(language, name) for language in LANGUAGES for name in said()]


@pytest.mark.parametrize(("language", "name"), CATALOGUES)
def test_a_catalogue_has_just_the_words_of_its_page(language: str, name: str) -> None:
    assert set(read(language, name)) == set(said()[name])


@pytest.mark.parametrize(("language", "name"), CATALOGUES)
def test_every_word_is_translated_with_the_same_placeholders(language: str, name: str) -> None:
    wrong = []
    for text, message in read(language, name).items():
        ids = text if isinstance(text, tuple) else (text,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = {it for one in ids for it in PLACEHOLDER.findall(one)}
        for string in strings:
            if not string or message.fuzzy or not set(PLACEHOLDER.findall(string)) <= wanted:
                wrong.append(text)
        if {it for string in strings for it in PLACEHOLDER.findall(string)} != wanted:
            wrong.append(text)

    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_catalogue_is_of_a_page_that_is_gone(language: str) -> None:
    there = {path.stem for path in (CONSOLE / "locale" / language).iterdir()}

    assert there == {name for name, texts in said().items() if texts}


def test_english_says_what_the_source_says() -> None:
    english = [read("en", name) for language, name in CATALOGUES if language == "en"]

    assert [text for texts in english for text, it in texts.items() if it.string != text] == []


def test_there_are_words_to_compare() -> None:
    assert len(said()[SHARED]) > 20
