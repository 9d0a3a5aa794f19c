"""The API for who is logged in to the console: every operation, by a cookie instead of a token."""

import asyncio
import json
import re
from typing import Any

import attrs
import pytest

from punktfunk.mgmt.access import Access
from punktfunk.mgmt.audit import AUDIT_FILE
from punktfunk.mgmt.callers import Caller
from punktfunk.mgmt.contract import LOGIN_MEMBER, ByLogin, Operation, read_contract
from punktfunk.mgmt.logins import FRESH_NS, IDLE_NS, Login
from punktfunk.mgmt.requests import EXTENSION
from punktfunk.model.access import Scope

OPERATIONS = list(read_contract().operations.values())
GUARDED = [it for it in OPERATIONS if it.scope is not None]
UNSAFE = [it for it in GUARDED if it.method != "GET"]
FRESH = {"createCustomGame", "updateCustomGame", "patchConfig", "createToken"}
OURS = ("Origin", "http://127.0.0.1:47990")
NOT_OURS = (
    ("Origin", "https://evil.example"),
    ("Origin", "null"),
    ("Origin", "http://127.0.0.1:3000"),
    ("Origin", "http://127.0.0.1:47990.evil.example"),
    ("Sec-Fetch-Site", "cross-site"),
    ("Sec-Fetch-Site", "same-site"),
)
STATUS = "/api/v1/status"

every_unsafe_operation = pytest.mark.parametrize("operation", UNSAFE, ids=lambda it: it.id)


@attrs.define
class Browser:
    """One that is logged in."""

    api: Any
    access: Access
    cookie: str
    login: Login

    async def ask(self, method: str, path: str, *headers: tuple[str, str], **more: Any) -> Any:
        sent = [("Cookie", f"{self.access.cookie.name}={self.cookie}"), *headers]
        return await self.api.ask(method, path, token=None, headers=sent, **more)

    @property
    def csrf(self) -> tuple[str, str]:
        return "X-CSRF-Token", self.login.csrf

    async def change(self, method: str, path: str, **more: Any) -> Any:
        """As the console's own script does."""
        return await self.ask(method, path, OURS, self.csrf, **more)


def log_in(api: Any, scope: Scope = Scope.ADMIN) -> Browser:
    access: Access = api.app.extensions[EXTENSION].access
    text, _ = api.host.tokens.create(scope)
    return Browser(api, access, *access.logins.open(access.with_token(text, "")))


@pytest.fixture
def browser(api: Any) -> Browser:
    return log_in(api)


def path_of(operation: Operation) -> str:
    return re.sub(r"{\w+}", "0" * 64, operation.path)


@pytest.mark.parametrize("operation", GUARDED, ids=lambda it: it.id)
async def test_a_cookie_opens_what_its_token_opens(browser: Browser, operation: Operation) -> None:
    answer = await browser.change(operation.method, path_of(operation))

    assert (answer.status_code in (401, 403)) is (operation.by_login is ByLogin.NEVER)


@pytest.mark.parametrize("operation", GUARDED, ids=lambda it: it.id)
@pytest.mark.parametrize("scope", [Scope.READ, Scope.CONTROL], ids=lambda it: it.value)
async def test_and_no_more_than_that(api: Any, operation: Operation, scope: Scope) -> None:
    answer = await log_in(api, scope).change(operation.method, path_of(operation))

    assert operation.scope
    assert (answer.status_code == 403) is not scope.includes(operation.scope)


@every_unsafe_operation
async def test_threat_15_a_change_needs_what_only_our_pages_know(
    browser: Browser, operation: Operation
) -> None:
    other = log_in(browser.api)
    before = browser.api.state()

    for headers in (
        (),
        (OURS,),
        (browser.csrf,),
        (OURS, ("X-CSRF-Token", "")),
        (OURS, ("X-CSRF-Token", "é")),
        (OURS, other.csrf),
    ):
        answer = await browser.ask(operation.method, path_of(operation), *headers)
        assert answer.status_code == 403, headers
        assert browser.login.secret.hex() not in await answer.get_data(as_text=True)
    assert browser.api.state() == before


@every_unsafe_operation
async def test_threat_15_a_page_of_another_site_changes_nothing_with_the_cookie(
    browser: Browser, operation: Operation
) -> None:
    before = browser.api.state()

    for header in NOT_OURS:
        answer = await browser.ask(operation.method, path_of(operation), header, browser.csrf)
        assert answer.status_code == 403, header
    assert browser.api.state() == before


async def test_the_browser_may_say_either_where_the_page_is_from(browser: Browser) -> None:
    for header in (OURS, ("Sec-Fetch-Site", "same-origin")):
        answer = await browser.ask("DELETE", "/api/v1/session", header, browser.csrf)
        assert answer.status_code == 204


async def test_a_token_beside_the_cookie_is_what_counts(browser: Browser) -> None:
    right, wrong = (("Authorization", f"Bearer {it}") for it in (browser_token(browser), "wrong"))

    assert (await browser.ask("DELETE", "/api/v1/session", right)).status_code == 204
    assert (await browser.ask("GET", STATUS, wrong)).status_code == 401


def browser_token(browser: Browser) -> str:
    text, _ = browser.api.host.tokens.create(Scope.ADMIN)
    return str(text)


@pytest.mark.parametrize("value", ["", "x", "=", "\u00e9", "a" * 8_000])
async def test_a_cookie_of_nobody_is_none(browser: Browser, value: str) -> None:
    browser.cookie = value

    assert (await browser.ask("GET", STATUS)).status_code == 401


async def test_two_cookies_of_that_name_are_none(browser: Browser) -> None:
    browser.cookie += f"; {browser.access.cookie.name}={browser.cookie}"

    assert (await browser.ask("GET", STATUS)).status_code == 401


async def test_threat_23_a_cookie_is_no_token_and_a_token_no_cookie(browser: Browser) -> None:
    assert (await browser.api.ask("GET", STATUS, token=browser.cookie)).status_code == 401
    browser.cookie = browser_token(browser)
    assert (await browser.ask("GET", STATUS)).status_code == 401


async def test_what_a_page_asks_by_itself_keeps_nobody_logged_in(browser: Browser) -> None:
    browser.api.now_ns = IDLE_NS - 1
    assert (await browser.ask("GET", STATUS, ("X-Background", "1"))).status_code == 200
    assert (await browser.ask("GET", "/api/v1/events")).status_code == 200
    assert browser.login.used_ns == 0

    browser.api.now_ns = IDLE_NS
    assert (await browser.ask("GET", STATUS)).status_code == 401


async def test_what_a_person_does_keeps_the_login(browser: Browser) -> None:
    browser.api.now_ns = IDLE_NS - 1
    assert (await browser.ask("GET", STATUS)).status_code == 200
    browser.api.now_ns += IDLE_NS - 1
    assert (await browser.ask("GET", STATUS)).status_code == 200


@pytest.mark.parametrize("how", ["revoked", "expired", "logged out"])
async def test_a_login_ends_with_its_token(api: Any, how: str) -> None:
    text, made = api.host.tokens.create(Scope.ADMIN, expires_days=1)
    access: Access = api.app.extensions[EXTENSION].access
    browser = Browser(api, access, *access.logins.open(access.with_token(text, "")))
    assert (await browser.ask("GET", STATUS)).status_code == 200

    if how == "revoked":
        api.host.tokens.revoke(made.id)
    elif how == "expired":
        api.host.wall_s += 86_400
    else:
        access.logins.close(browser.login)

    assert (await browser.ask("GET", STATUS)).status_code == 401


@pytest.mark.parametrize("how", ["revoked", "idle", "logged out"])
async def test_who_follows_events_hears_no_more_once_the_login_is_over(api: Any, how: str) -> None:
    bus = api.host.events
    text, made = api.host.tokens.create(Scope.READ)
    access: Access = api.app.extensions[EXTENSION].access
    cookie, login = access.logins.open(access.with_token(text, ""))

    async def follow() -> str:
        headers = {"Cookie": f"{access.cookie.name}={cookie}", "Host": "localhost"}
        answer = await api.app.test_client(use_cookies=False).get("/api/v1/events", headers=headers)
        told: str = await answer.get_data(as_text=True)
        return told

    async with asyncio.timeout(60):
        following = asyncio.create_task(follow())
        while not (bus._subscriptions or following.done()):
            await asyncio.sleep(0)
        if how == "revoked":
            api.host.tokens.revoke(made.id)
        elif how == "idle":
            api.now_ns = IDLE_NS
        else:
            access.logins.close(login)
        bus.publish("pairing.waiting", pairing_id=1, name="TV", address="192.168.1.9")
        told = await following

    assert "retry" in told
    assert "pairing.waiting" not in told


def test_what_can_run_something_or_lets_somebody_in_wants_the_token_shown_again() -> None:
    by_login = {it.id: it.by_login for it in OPERATIONS}

    assert {it for it in by_login if by_login[it] is ByLogin.FRESH} == FRESH
    assert [it for it in by_login if by_login[it] is ByLogin.NEVER] == ["createConsoleLink"]
    said = [
        operation.get(LOGIN_MEMBER)
        for item in json.loads(read_contract().text)["paths"].values()
        for operation in item.values()
    ]
    assert set(said) == {None, "fresh", "never"}


@pytest.mark.parametrize("operation", [it for it in UNSAFE if it.id in FRESH], ids=lambda it: it.id)
async def test_an_old_login_is_asked_for_the_token_and_a_token_is_not(
    browser: Browser, operation: Operation
) -> None:
    before = browser.api.state()
    browser.api.now_ns = FRESH_NS
    answer = await browser.change(operation.method, path_of(operation), body=b"{")

    assert answer.status_code == 403
    assert (await answer.get_json())["code"] == "confirm_token"
    assert browser.api.state() == before

    browser.access.logins.confirm(browser.login)
    again = await browser.change(operation.method, path_of(operation))
    by_token = await browser.api.ask(operation.method, path_of(operation))
    assert (again.status_code, by_token.status_code) == (415, 415)


async def test_a_refusal_for_another_reason_has_no_such_code(browser: Browser) -> None:
    answer = await browser.ask("POST", "/api/v1/tokens", OURS)

    assert list(await answer.get_json()) == ["error"]


async def test_what_was_changed_through_the_console_is_noted_so(browser: Browser) -> None:
    await browser.change("DELETE", "/api/v1/session")
    await browser.api.ask("DELETE", "/api/v1/session")

    text = (browser.api.host.folder / AUDIT_FILE).read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(it["token"], it.get("through")) for it in lines] == [
        (browser.login.caller.token_id, "console"),
        ("mgmt-token", None),
    ]
    assert browser.cookie not in text
    assert '"csrf"' not in text
    assert "X-CSRF-Token" not in text


async def test_a_link_is_made_by_a_token_and_works_once(api: Any) -> None:
    access: Access = api.app.extensions[EXTENSION].access
    answer = await api.ask("POST", "/api/v1/console/link")
    made = await answer.get_json()

    assert (answer.status_code, made["expires_in_s"]) == (201, 120)
    assert access.with_code(made["code"], "") == Caller("mgmt-token", "mgmt-token", Scope.ADMIN)
    with pytest.raises(Exception, match="used before"):
        access.with_code(made["code"], "")


async def test_threat_24_guessing_codes_is_slowed_down_like_guessing_tokens(api: Any) -> None:
    access: Access = api.app.extensions[EXTENSION].access
    seen = []
    for number in range(12):
        with pytest.raises(Exception) as refused:
            access.with_code(f"{number}\ud800", "192.0.2.1")
        seen.append(refused.value.code)  # type: ignore[attr-defined]

    assert seen == [401] * 10 + [429] * 2


async def test_the_link_of_a_token_that_was_revoked_opens_nothing(api: Any) -> None:
    text, made = api.host.tokens.create(Scope.ADMIN)
    access: Access = api.app.extensions[EXTENSION].access
    answer = await api.ask("POST", "/api/v1/console/link", token=text)
    api.host.tokens.revoke(made.id)

    with pytest.raises(Exception, match="used before"):
        access.with_code((await answer.get_json())["code"], "")


async def test_a_new_token_of_the_administrator_ends_every_login_and_the_old_one(api: Any) -> None:
    own = ["a" * 64]
    host = api.host
    access = Access(lambda: own[0], host, lambda: 0)
    scoped, _ = host.tokens.create(Scope.READ)
    callers = [access.with_token(text, "") for text in ("a" * 64, scoped)]
    opened = [access.logins.open(caller) for caller in callers]
    linked = access.links.make(callers[0])

    own[0] = "b" * 64

    assert [access.logins.match(cookie) for cookie, _ in opened] == [None, None]
    assert [access.is_good(caller) for caller in callers] == [False, True]
    for text, way_in in (("a" * 64, access.with_token), (linked, access.with_code)):
        with pytest.raises(Exception, match=r"wrong token|used before"):
            way_in(text, "")
    assert access.is_good(access.with_token("b" * 64, ""))


async def test_logging_everybody_out_ends_every_login_and_no_token(api: Any) -> None:
    one, other = log_in(api), log_in(api, Scope.READ)
    assert (await other.ask("GET", STATUS)).status_code == 200

    assert (await one.change("DELETE", "/api/v1/console/logins")).status_code == 204

    for browser in (one, other):
        assert (await browser.ask("GET", STATUS)).status_code == 401
    assert (await api.ask("GET", STATUS)).status_code == 200
