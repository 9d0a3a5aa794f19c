"""The console's pages in this process, before the same small host as the API's tests have."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest
from quart import Quart, Response

from punktfunk.console import create_console
from punktfunk.mgmt.app import create_app
from punktfunk.mgmt.requests import EXTENSION, Backing
from punktfunk.model.access import Scope

TOKEN = "0123456789abcdef" * 4
HOSTILE = ('<img src=x onerror="alert(1)">', "\u202egnp.exe", "x" * 10_000)


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("mgmt_conftest", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_mgmt = _load(Path(__file__).parents[1] / "mgmt" / "conftest.py")


@attrs.define
class Pages:
    """Somebody who is logged in; answers are pages, in English unless told otherwise.

    Attributes:
        host: Keeps what it is told in lists.
    """

    host: Any
    api: Quart
    backing: Backing

    async def ask(
        self, path: str, *, scope: Scope | None = Scope.ADMIN, language: str = "en", **headers: str
    ) -> Response:
        """Args:
        scope: Of the login; None for nobody's.
        """
        told = {"Host": "127.0.0.1:47990", "Accept-Language": language, **headers}
        if scope is not None:
            access = self.backing.access
            text, _ = self.host.tokens.create(scope)
            cookie, _login = access.logins.open(access.with_token(text, ""))
            told["Cookie"] = f"{access.cookie.name}={cookie}"
        client = self.api.test_client()
        return await client.get(path, headers=told, scope_base={"server": ("127.0.0.1", 47_990)})

    async def read(self, path: str, **more: Any) -> str:
        """A page that is there."""
        answer = await self.ask(path, **more)
        text = await answer.get_data(as_text=True)
        assert answer.status_code == 200, text
        return text


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    host = _mgmt.SmallHost(tmp_path)
    api = create_app(host, TOKEN, pages=create_console)
    return Pages(host, api, api.extensions[EXTENSION])


@pytest.fixture
def paired() -> Any:
    """Makes a paired client of a name."""
    return _mgmt.paired


@pytest.fixture
def hostile() -> tuple[str, ...]:
    """Names that nobody has, and that no page may fall for."""
    return HOSTILE
