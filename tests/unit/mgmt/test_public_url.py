"""Behind a reverse proxy: its name, its origin and its path are ours too."""

from typing import Any

import pytest

from punktfunk.config.web_addresses import is_public_url
from punktfunk.mgmt.app import create_app
from punktfunk.mgmt.public_url import PublicUrl

TOKEN = "0123456789abcdef" * 4
PUBLIC = "https://home.example/games/pf"


@pytest.mark.parametrize(
    ("text", "name", "origin", "prefix"),
    [
        ("https://home.example", "home.example", "https://home.example", ""),
        ("https://Home.Example:443/", "home.example", "https://home.example", ""),
        ("http://home.example:8080/pf/", "home.example", "http://home.example:8080", "/pf"),
        (PUBLIC, "home.example", "https://home.example", "/games/pf"),
        ("https://[FD00::1]:8443/x", "fd00::1", "https://[fd00::1]:8443", "/x"),
    ],
)
def test_an_address_is_read_as_browsers_write_it(
    text: str, name: str, origin: str, prefix: str
) -> None:
    assert is_public_url(text)
    assert PublicUrl.read(text) == PublicUrl(name, origin, prefix)


@pytest.mark.parametrize("path", ["games/api", "apis", "metrics2"])
def test_only_the_first_part_of_a_path_may_not_be_the_apis_own(path: str) -> None:
    assert is_public_url(f"https://home.example/{path}")


def test_empty_is_none() -> None:
    assert is_public_url("")
    assert PublicUrl.read("") is None


@pytest.mark.parametrize(
    "text",
    [
        *("home.example", "ftp://home.example", "https://", "https://me@home.example", "/pf"),
        *("https://home.example/?x", "https://home.example/#x", "https://home.example/a//b"),
        *("https://home.example/..", "https://home.example/a/./b", "https://home.example/%2e"),
        *("https://home.example/api", "https://home.example/api/pf", "http://a/metrics/"),
        *("https://home.example/ä", "https://home.example:0", "https://home.example/a b"),
    ],
)
def test_what_is_no_address_of_a_site_is_refused(text: str) -> None:
    assert not is_public_url(text)


class Proxied:
    def __init__(self, host: Any, public_url: str = PUBLIC) -> None:
        self.app = create_app(host, TOKEN, public_url=public_url)

    async def ask(self, method: str, path: str, **headers: str) -> Any:
        sent = {"Host": "home.example", "Authorization": f"Bearer {TOKEN}", **headers}
        return await self.app.test_client().open(path, method=method, headers=sent)


@pytest.mark.parametrize("prefix", ["", "/games/pf"])
async def test_the_proxy_may_take_the_path_off_or_leave_it(api: Any, prefix: str) -> None:
    proxied = Proxied(api.host)

    for path, status in (("/api/v1/health", 200), ("/api/v1/status", 200), ("/api/docs", 200)):
        assert (await proxied.ask("GET", prefix + path)).status_code == status
    assert (await proxied.ask("GET", f"{prefix}/api/v1/nothing")).status_code == 404
    assert (await proxied.ask("GET", f"{prefix}/x", Authorization="")).status_code == 401


@pytest.mark.parametrize("path", ["/games", "/games/pfx/api/v1/health", "/other/api/v1/health"])
async def test_no_other_path_is_taken_off(api: Any, path: str) -> None:
    assert (await Proxied(api.host).ask("GET", path)).status_code == 404


async def test_without_its_slash_the_place_is_named_with_it_relative_to_itself(api: Any) -> None:
    answer = await Proxied(api.host).ask("GET", "/games/pf")

    assert (answer.status_code, answer.headers["Location"]) == (308, "pf/")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_threat_16_its_name_is_ours_and_no_other_becomes_so(api: Any) -> None:
    proxied = Proxied(api.host)

    for name, status in (("HOME.example:8443", 200), ("evil.example", 421), ("example", 421)):
        assert (await proxied.ask("GET", "/api/v1/health", Host=name)).status_code == status
    unproxied = Proxied(api.host, "")
    assert (await unproxied.ask("GET", "/api/v1/health")).status_code == 421


@pytest.mark.parametrize("host", ["home.example", "127.0.0.1:47990"])
async def test_threat_15_its_origin_may_change_things_whatever_host_the_proxy_names(
    api: Any, host: str
) -> None:
    proxied = Proxied(api.host)

    for origin, status in (
        ("https://home.example", 204),
        ("https://home.example.evil.example", 403),
        ("https://home.example:444", 403),
        ("https://evil.example", 403),
        ("null", 403),
    ):
        answer = await proxied.ask("DELETE", "/api/v1/session", Host=host, Origin=origin)
        assert answer.status_code == status, origin
