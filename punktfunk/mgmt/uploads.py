"""How long a body may be, and may take: short, but for pictures."""

import re
from typing import Any

from quart import Request

from punktfunk.library.pictures import MAX_FILE_BYTES

MAX_BODY_BYTES = 65_536
PICTURE_TIMEOUT_S = 120
_PICTURE = re.compile(r"/api/v1/library/custom/[^/]+/art/[^/]+")


def most_bytes(method: str, path: str) -> int:
    """Of the body of a request."""
    return MAX_FILE_BYTES if _is_picture(method, path) else MAX_BODY_BYTES


class BoundedRequest(Request):
    """Reads no more of a body than its path may have, and waits no longer for it."""

    def __init__(self, method: str, scheme: str, path: str, *more: Any, **options: Any) -> None:
        options["max_content_length"] = most_bytes(method, path)
        if _is_picture(method, path):
            options["body_timeout"] = PICTURE_TIMEOUT_S
        super().__init__(method, scheme, path, *more, **options)


def _is_picture(method: str, path: str) -> bool:
    return method == "PUT" and _PICTURE.fullmatch(path) is not None
