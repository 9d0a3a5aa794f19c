"""Scripts, styles and fonts: read once at the start, and nothing else is ever sent.

A request names one of them or gets nothing; no path of a request meets the file system.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

import attrs
from quart import Blueprint, Response, request
from werkzeug.exceptions import NotFound

_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
    ".png": "image/png",
}
_PACKED = frozenset({".css", ".js", ".svg"})
_FOR_EVER = "public, max-age=31536000, immutable"


@attrs.frozen
class Asset:
    """Attributes:
    packed: By gzip; None where that saves nothing.
    """

    type: str
    plain: bytes
    packed: bytes | None


class Assets:
    """Attributes:
    version: Of all of them together. It is part of every address, so browsers may keep
        them for ever.
    blueprint: Answers for them.
    """

    def __init__(self) -> None:
        self._assets = {entry.name: _asset(entry) for entry in _files()}
        digest = hashlib.sha256()
        for name, asset in sorted(self._assets.items()):
            digest.update(f"{name}\0{len(asset.plain)}\0".encode() + asset.plain)
        self.version = digest.hexdigest()[:12]
        self.blueprint = Blueprint("assets", __name__)
        self.blueprint.add_url_rule(
            "/static/<version>/<name>", "asset", self._answer, methods=["GET"]
        )
        self.blueprint.add_url_rule("/favicon.ico", "favicon", self._favicon, methods=["GET"])

    def path(self, name: str) -> str:
        """Where it is, from the console's own root. KeyError: there is no such file."""
        if name not in self._assets:
            raise KeyError(name)
        return f"static/{self.version}/{name}"

    async def _answer(self, version: str, name: str) -> Response:
        asset = self._assets.get(name)
        if asset is None:
            raise NotFound
        keep = _FOR_EVER if version == self.version else "no-cache"
        return _response(asset, keep)

    async def _favicon(self) -> Response:
        return _response(self._assets["icon.svg"], "max-age=86400")


def _files() -> list[Traversable]:
    return [it for it in files("punktfunk.console").joinpath("static").iterdir() if it.is_file()]


def _asset(entry: Traversable) -> Asset:
    suffix = "." + entry.name.rpartition(".")[2]
    plain = entry.read_bytes()
    kind = _TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")
    packed = gzip.compress(plain, 9, mtime=0) if suffix in _PACKED else None
    return Asset(kind, plain, packed)


def _response(asset: Asset, keep: str) -> Response:
    takes_packed = asset.packed is not None and request.accept_encodings["gzip"] > 0
    answer = Response(asset.packed if takes_packed else asset.plain, content_type=asset.type)
    answer.headers["Cache-Control"] = keep
    answer.vary.add("Accept-Encoding")
    if takes_packed:
        answer.headers["Content-Encoding"] = "gzip"
    return answer
