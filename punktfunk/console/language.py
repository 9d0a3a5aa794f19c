"""Which language a page speaks, and its words.

`locale/LANGUAGE/*.po` are read as they are: one file for each page, `shell.po` for what they
share. English texts are their own names, so a text without a translation still says something.
"""

import io
from collections.abc import Mapping
from gettext import GNUTranslations
from importlib.resources import files

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from quart import Quart, g, has_request_context, request

LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}
DEFAULT = "en"
COOKIE = "punktfunk_language"

Placeholders = str | int | float


def _read(language: str) -> GNUTranslations:
    whole = Catalog(language)
    folder = files("punktfunk.console").joinpath("locale", language)
    for entry in sorted(folder.iterdir(), key=lambda it: it.name):
        if entry.name.endswith(".po"):
            catalog = read_po(io.BytesIO(entry.read_bytes()), locale=language)
            for message in catalog:
                if message.id:
                    whole[message.id] = message
    compiled = io.BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return GNUTranslations(compiled)


_WORDS: Mapping[str, GNUTranslations] = {language: _read(language) for language in LANGUAGES}


def language() -> str:
    """Of the request that is being answered."""
    return g.language if has_request_context() and "language" in g else DEFAULT


def locale() -> Locale:
    return Locale.parse(language())


def _(text: str, **values: Placeholders) -> str:
    """Say a text in the page's language. `%(name)s` in it stands for a value."""
    said = _WORDS[language()].gettext(text)
    return said % values if values else said


def ngettext(one: str, many: str, n: int, **values: Placeholders) -> str:
    """Say one of two texts, by the number; `%(n)s` stands for it."""
    return _WORDS[language()].ngettext(one, many, n) % {"n": n, **values}


def install_language(app: Quart) -> None:
    """Choose a language for each request, and give templates its words."""

    @app.before_request
    async def choose() -> None:
        chosen = request.cookies.get(COOKIE, "")
        if chosen not in LANGUAGES:
            chosen = request.accept_languages.best_match(LANGUAGES) or DEFAULT
        g.language = chosen

    app.jinja_env.globals.update(_=_, ngettext=ngettext, language=language, languages=LANGUAGES)
