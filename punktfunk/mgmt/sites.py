"""Whose page made a browser ask."""

from quart import Request
from werkzeug.exceptions import Forbidden

from punktfunk.mgmt.public_url import PublicUrl

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_SAME_SITE = frozenset({"same-origin", "none"})


def check_origin(asked: Request, public: PublicUrl | None) -> None:
    """Keep other sites' pages from doing things here with a person's browser.

    Raises:
        Forbidden: one of them asked for something that is not only looking.
    """
    if asked.method in SAFE_METHODS:
        return
    ours = {f"{asked.scheme}://{asked.headers['Host']}".lower()}
    if public is not None:
        ours.add(public.origin)
    sites = asked.headers.getlist("Sec-Fetch-Site")
    origins = asked.headers.getlist("Origin")
    if any(it not in _SAME_SITE for it in sites) or any(it.lower() not in ours for it in origins):
        raise Forbidden("another site's page may not do this")


def came_by(asked: Request, public: PublicUrl) -> bool:
    """Say whether a browser asked at the public address.

    A proxy may have put our own address into `Host`; then only an `Origin` tells.
    """
    name = public.origin.partition("://")[2]
    return (
        asked.headers["Host"].lower() == name
        or asked.headers.get("Origin", "").lower() == public.origin
    )


def check_is_our_page(asked: Request, public: PublicUrl | None) -> None:
    """The same for what only a page of ours does: it must say where it comes from.

    Raises:
        Forbidden: it does not, or from elsewhere.
    """
    check_origin(asked, public)
    if "Origin" not in asked.headers and "Sec-Fetch-Site" not in asked.headers:
        raise Forbidden("the browser did not say which page asks for this")
