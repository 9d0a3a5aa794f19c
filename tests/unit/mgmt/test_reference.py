"""The files of the interactive reference: which, to whom, and under which policy."""

import re
from importlib.resources import files
from typing import Any

import pytest

from punktfunk.mgmt import reference

PATHS = {
    "/api/docs": "text/html",
    "/api/docs/": "text/html",
    "/api/docs/page.html": "text/html",
    "/api/docs/page.css": "text/css",
    "/api/docs/page.js": "text/javascript",
    "/api/docs/schema.js": "text/javascript",
    "/api/docs/icon.svg": "image/svg+xml",
}
FOLDER = files(reference.__name__)


@pytest.mark.parametrize("path", PATHS)
async def test_a_browser_without_a_token_may_read_it(api: Any, path: str) -> None:
    answer = await api.ask("GET", path, token=None)

    assert (answer.status_code, answer.mimetype) == (200, PATHS[path])
    assert (await api.ask("HEAD", path, token=None)).status_code == 200


@pytest.mark.parametrize("path", PATHS)
async def test_threat_18_nothing_may_run_or_be_loaded_but_its_own_files(
    api: Any, path: str
) -> None:
    policy = (await api.ask("GET", path)).headers["Content-Security-Policy"]

    assert "unsafe" not in policy
    assert "*" not in policy
    assert set(re.findall(r"(\w+)-src '(\w+)'", policy)) == {
        ("default", "none"),
        *((kind, "self") for kind in ("connect", "img", "script", "style")),
    }
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy


async def test_it_can_only_be_read(api: Any) -> None:
    answer = await api.ask("POST", "/api/docs", body=b"x")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert list(await answer.get_json()) == ["error"]


@pytest.mark.parametrize("path", ["/api/docs/../v1/status", "/api/docs/x", "/api/docs/__init__.py"])
async def test_threat_19_no_other_file_and_no_route_is_opened_by_it(api: Any, path: str) -> None:
    assert (await api.ask("GET", path, token=None)).status_code == 401
    assert (await api.ask("GET", path)).status_code == 404


async def test_threat_16_another_name_gets_nothing(api: Any) -> None:
    assert (await api.ask("GET", "/api/docs", host="evil.example")).status_code == 421


def test_every_file_of_it_is_served() -> None:
    assert {f"{reference.PREFIX}/{it.name}" for it in FOLDER.iterdir() if "." in it.name} - set(
        PATHS
    ) == {"/api/docs/__init__.py"}


def test_it_needs_nothing_from_elsewhere_and_keeps_nothing() -> None:
    for name in ("page.html", "page.css", "page.js", "schema.js"):
        text = FOLDER.joinpath(name).read_text()
        for word in (
            "http:",
            "https:",
            "//cdn",
            "Storage",
            "cookie",
            "innerHTML",
            "eval(",
            "style=",
        ):
            assert word not in text, (name, word)
