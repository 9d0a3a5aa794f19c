"""From the name of a file to a title: `Legend, The (USA) [!].sfc` is `The Legend`."""

import re

MAX_TITLE_LENGTH = 500

_TAG = re.compile(r"[(\[{][^()\[\]{}]*[)\]}]")
_DISC = re.compile(r".(?:disc|disk|cd|side|tape) ?\w{1,2}\b", re.IGNORECASE)
_ARTICLE = re.compile(r"(.*?), (The|A|An|Le|La|Les|Der|Die|Das)(?= - |$)(.*)")


def title_of(stem: str) -> str:
    """Make a title: without regions and revisions, but with the number of a disc.

    Empty when the name has nothing that can be shown.
    """
    kept = _TAG.sub(lambda tag: tag[0] if _DISC.match(tag[0]) else " ", stem[:1_000])
    title = clean_title(kept.replace("_", " "))
    article = _ARTICLE.fullmatch(title)
    if article:
        title = f"{article[2]} {article[1]}{article[3]}"
    return title or clean_title(stem)


def clean_title(text: str) -> str:
    """Return one line of printable characters; empty when nothing of it can be shown."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(shown.split())[:MAX_TITLE_LENGTH].strip()
