"""What the Logs page is made of; its lines come by the API, see `test_log_stream.py`."""

from typing import Any

import pytest

from punktfunk.model.access import Scope


async def test_the_page_has_what_its_script_needs_and_no_lines(pages: Any) -> None:
    page = await pages.read("/logs")

    assert "logs.js" in page
    assert 'id="log-lines"' in page
    for level in ("debug", "info", "warning", "error"):
        assert f'<option value="{level}">' in page
    for words in ("data-gap", "data-none", "data-empty", "data-critical"):
        assert f'{words}="' in page, words


async def test_it_says_what_is_not_written_and_where_to_change_that(pages: Any) -> None:
    assert "nothing below the level info" in await pages.read("/logs")
    assert 'href="./settings#setting-host-log_level"' in await pages.read("/logs")
    assert 'id="setting-host-log_level"' in await pages.read("/settings")

    pages.host.operations.config.change({"host.log_level": "debug"}, ())
    assert "nothing below the level" not in await pages.read("/logs")


@pytest.mark.parametrize("scope", [Scope.READ, Scope.CONTROL])
async def test_who_may_not_read_the_log_is_told_so(pages: Any, scope: Scope) -> None:
    page = await pages.read("/logs", scope=scope)

    assert "Only the administrator" in page
    assert "logs.js" not in page


async def test_it_speaks_german(pages: Any) -> None:
    page = await pages.read("/logs", language="de")

    assert "Angezeigtes herunterladen" in page
    assert 'data-warning="Warnung"' in page
