"""How long a body may be: short, but for pictures."""

import re
from typing import Any

from quart import Request

from punktfunk.library.pictures import MAX_FILE_BYTES

MAX_BODY_BYTES = 65_536
_PICTURE = re.compile(r"/api/v1/library/custom/[^/]+/art/[^/]+")


def most_bytes(method: str, path: str) -> int:
    """Of the body of a request."""
    return MAX_FILE_BYTES if method == "PUT" and _PICTURE.fullmatch(path) else MAX_BODY_BYTES


class BoundedRequest(Request):
    """Reads no more of a body than its path may have."""

    def __init__(self, method: str, scheme: str, path: str, *more: Any, **options: Any) -> None:
        options["max_content_length"] = most_bytes(method, path)
        super().__init__(method, scheme, path, *more, **options)
