"""The console's way in and out, through the whole app as the host puts it together."""

import json
import re
from html import unescape
from typing import Any

import pytest

from punktfunk.console import create_console
from punktfunk.console.entry import place
from punktfunk.mgmt.access import Access
from punktfunk.mgmt.app import create_app
from punktfunk.mgmt.backoff import BURST
from punktfunk.mgmt.login_cookie import LoginCookie
from punktfunk.mgmt.logins import FRESH_NS, IDLE_NS
from punktfunk.mgmt.requests import EXTENSION
from punktfunk.model.access import Scope

TOKEN = "0123456789abcdef" * 4
OURS = {"Origin": "http://127.0.0.1:47990"}
FOREIGN = (
    {},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:3000"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
)


class Browser:
    """Keeps cookies, and does what forms and scripts of the pages do."""

    def __init__(self, host: Any, public_url: str = "") -> None:
        self.now_ns = 0
        self.host = host
        self.app = create_app(
            self.host,
            TOKEN,
            names=["box.lan"],
            public_url=public_url,
            now_ns=lambda: self.now_ns,
            pages=create_console,
        )
        self.access: Access = self.app.extensions[EXTENSION].access
        self.jar: dict[str, str] = {}

    async def ask(self, method: str, path: str, **more: Any) -> Any:
        headers = {"Host": "127.0.0.1:47990", **more.pop("headers", {})}
        if self.jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        client = self.app.test_client(use_cookies=False)
        answer = await client.open(path, method=method, headers=headers, **more)
        for line in answer.headers.getlist("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.jar = {**self.jar, name: value}
            if not value:
                del self.jar[name]
        return answer

    async def log_in(self, token: str = TOKEN, wanted: str = "", **headers: str) -> Any:
        form = {"token": token, "next": wanted}
        return await self.ask("POST", "/login", form=form, headers=OURS | headers)

    async def script(self, path: str, body: object, csrf: str = "") -> Any:
        headers = OURS | ({"X-CSRF-Token": csrf} if csrf else {})
        return await self.ask("POST", path, json=body, headers=headers)

    @property
    def login(self) -> Any:
        return self.access.logins.match(self.jar.get(self.access.cookie.name, ""))


@pytest.fixture
def browser(pages: Any) -> Browser:
    return Browser(pages.host)


async def test_the_probes_of_a_whole_visit(browser: Browser) -> None:
    """From outside, in, and out again; then with a wrong name, and too often."""
    statuses = [
        (await browser.ask("GET", "/api/v1/status")).status_code,
        (await browser.log_in()).status_code,
        (await browser.ask("GET", "/login")).status_code,
        (await browser.ask("GET", "/", headers={"Host": "evil.example"})).status_code,
        (await browser.ask("POST", "/logout", headers=OURS)).status_code,
        (
            await browser.ask("POST", "/logout", headers=OURS, form={"csrf": browser.login.csrf})
        ).status_code,
        (await browser.ask("GET", "/")).status_code,
        *[(await browser.log_in("wrong")).status_code for _ in range(BURST + 1)],
    ]

    assert statuses == [401, 303, 303, 421, 403, 303, 303, *[401] * BURST, 429]


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/devices?x=1&y=a%20b", "/library/steam:570", "/no/such"),
        *("/library/custom:%E6%97%A5%20%25", "/library?q=%22%C3%A9%22"),
    ],
)
async def test_a_page_is_kept_in_mind_while_its_visitor_logs_in(
    browser: Browser, path: str
) -> None:
    answer = await browser.ask("GET", path)
    assert answer.status_code == 303
    assert "Location" in answer.headers
    assert re.match(r"(\.\./)*(\./)?login(\?next=|$)", answer.headers["Location"])
    form = await browser.ask("GET", f"/{answer.headers['Location'].lstrip('./')}")
    wanted = re.search(r'name="next" value="([^"]*)"', await form.get_data(as_text=True))

    assert wanted
    there = await browser.log_in(wanted=wanted[1].replace("&amp;", "&"))
    assert there.headers["Location"] == f".{path}"


@pytest.mark.parametrize(
    "wanted",
    [
        *("//evil", "/\\evil", "\\\\evil", "https:evil", "https://evil", "javascript:alert(1)"),
        *("%2f%2fevil", "%5c%5cevil", "/", "..//evil", "../other", "a/../../b", "%2e%2e/x"),
        *("x\r\nSet-Cookie: a=b", "a\x00b", "@evil", "x#y", "a//evil", "x" * 2_000, "é"),
    ],
)
async def test_threat_15_nobody_is_sent_elsewhere_by_the_login(
    browser: Browser, wanted: str
) -> None:
    sent = (await browser.log_in(wanted=wanted)).headers
    again = await browser.ask("GET", "/login", query_string={"next": wanted})

    assert sent.getlist("Location") == again.headers.getlist("Location")
    # What begins with `./` stays on this origin, whatever comes next.
    assert re.fullmatch(r"\./([\w:@]*)", sent["Location"])
    assert len(sent.getlist("Set-Cookie")) == 1


def test_places_of_the_console_are_kept() -> None:
    for fine in ("devices", "library/steam:570", "sessions?id=3&x=a%20b", "stats/2027-01-15.json"):
        assert place(fine) == f"./{fine}"


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/devices", {"HX-Request": "true"}),
        ("POST", "/preferences", OURS),
        ("POST", "/logout", OURS),
        ("POST", "/login/confirm", OURS),
        ("DELETE", "/no/such", OURS),
    ],
)
async def test_fragments_and_changes_of_who_is_logged_out_are_401(
    browser: Browser, method: str, path: str, headers: dict[str, str]
) -> None:
    assert (await browser.ask(method, path, headers=headers)).status_code == 401


@pytest.mark.parametrize(
    "path", ["/", "/library?q=x&store=steam", "/library/custom:%E6%97%A5?x=%22", "/no/such"]
)
async def test_colours_are_changed_without_leaving_the_page(browser: Browser, path: str) -> None:
    await browser.log_in()
    text = await (await browser.ask("GET", path)).get_data(as_text=True)
    back = re.search(r'name="back" value="([^"]*)"', text)
    assert back

    form = {"csrf": browser.login.csrf, "theme": "dark", "back": unescape(back[1])}
    answer = await browser.ask("POST", "/preferences", form=form, headers=OURS)

    assert answer.headers["Location"] == f".{path}"
    assert browser.jar["punktfunk_theme"] == "dark"


@pytest.mark.parametrize("back", ["//evil", "https://evil", "/\\evil", "x\r\ny: z", "%2f%2fevil"])
async def test_colours_lead_to_no_other_site(browser: Browser, back: str) -> None:
    await browser.log_in()
    form = {"csrf": browser.login.csrf, "back": back}

    answer = await browser.ask("POST", "/preferences", form=form, headers=OURS)

    assert answer.headers["Location"] == "./"


async def test_what_strangers_see_is_the_way_in_and_what_it_is_drawn_with(browser: Browser) -> None:
    text = await (await browser.ask("GET", "/login")).get_data(as_text=True)

    for command in ("punktfunk console", "punktfunk token reset"):
        assert f"<code>{command}</code>" in text
    assert 'autocomplete="current-password"' in text
    assert '<label class="field" for="token">' in text
    assert "mgmt-token" in text
    assert "csrf" not in text
    for asset in re.findall(r'(?:src|href)="\./(static/[^"]+)"', text):
        assert (await browser.ask("GET", f"/{asset}")).status_code == 200


async def test_a_wrong_token_is_told_in_words_and_in_the_browsers_language(
    browser: Browser,
) -> None:
    answer = await browser.log_in("<script>")
    german = await browser.log_in("x", **{"Accept-Language": "de"})

    assert answer.status_code == 401
    text = await answer.get_data(as_text=True)
    assert "That is not the token" in text
    assert "<script>\n" not in text
    assert "Das ist nicht das Token" in await german.get_data(as_text=True)
    assert browser.jar == {}


async def test_threat_24_guessing_at_the_page_is_slowed_down_and_the_owner_is_not(
    browser: Browser,
) -> None:
    for _ in range(BURST):
        await browser.log_in("wrong")
    answer = await browser.log_in("wrong")

    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 3
    assert "Too many wrong tokens" in await answer.get_data(as_text=True)
    assert (await browser.log_in()).status_code == 303


@pytest.mark.parametrize("token", ["", "é" * 32, "\x00", "a" * 60_000, f"{TOKEN}0", TOKEN.upper()])
async def test_odd_tokens_are_wrong_ones(browser: Browser, token: str) -> None:
    assert (await browser.log_in(token)).status_code == 401


@pytest.mark.parametrize("text", [f" {TOKEN}\n", f"PUNKTFUNK_MGMT_TOKEN={TOKEN}"])
async def test_the_token_may_be_pasted_as_it_stands_in_the_file(
    browser: Browser, text: str
) -> None:
    assert (await browser.log_in(text)).status_code == 303


async def test_the_login_has_the_scope_of_its_token(browser: Browser) -> None:
    text, made = browser.host.tokens.create(Scope.READ)
    await browser.log_in(text)

    assert browser.login.scope is Scope.READ
    browser.host.tokens.revoke(made.id)
    assert (await browser.ask("GET", "/")).status_code == 303


@pytest.mark.parametrize("path", ["/login", "/login/code", "/login/confirm", "/logout"])
@pytest.mark.parametrize("logged_in", [False, True])
async def test_threat_15_pages_of_other_sites_log_nobody_in_or_out(
    browser: Browser, path: str, logged_in: bool
) -> None:
    csrf = ""
    if logged_in:
        await browser.log_in()
        csrf = browser.login.csrf
    before = dict(browser.jar)

    for headers in FOREIGN:
        form = {"token": TOKEN, "csrf": csrf}
        answer = await browser.ask("POST", path, form=form, headers=headers)
        assert answer.status_code == 403, headers
    assert browser.jar == before
    assert bool(browser.login) is logged_in


async def test_every_change_needs_the_logins_own_csrf_token(browser: Browser) -> None:
    await browser.log_in()
    other = Browser.__new__(Browser)
    other.__dict__ |= {**vars(browser), "jar": {}}
    await other.log_in()

    for path in ("/logout", "/preferences", "/login/confirm", "/no/such"):
        for csrf in ("", other.login.csrf, "é"):
            answer = await browser.ask("POST", path, form={"csrf": csrf}, headers=OURS)
            assert answer.status_code == 403, (path, csrf)
    assert browser.login


@pytest.mark.parametrize(
    ("public_url", "headers", "scheme", "secure", "path"),
    [
        ("", {}, "http", False, "/"),
        ("", {"Origin": "https://127.0.0.1:47990"}, "https", True, "/"),
        (
            "https://home.example/pf",
            {"Host": "home.example", "Origin": "https://home.example"},
            "http",
            True,
            "/pf/",
        ),
        ("https://home.example/pf", {"Origin": "https://home.example"}, "http", True, "/pf/"),
        ("https://home.example/pf", {}, "http", False, "/"),
        ("https://home.example", {"Origin": "https://home.example"}, "http", True, "/"),
        ("https://home.example", {}, "http", False, "/"),
        (
            "http://home.example",
            {"Host": "home.example", "Origin": "http://home.example"},
            "http",
            False,
            "/",
        ),
    ],
)
async def test_the_cookie_is_for_this_host_and_its_pages_alone(
    pages: Any, public_url: str, headers: dict[str, str], scheme: str, secure: bool, path: str
) -> None:
    browser = Browser(pages.host, public_url)

    answer = await browser.ask(
        "POST", "/login", form={"token": TOKEN}, headers=OURS | headers, scheme=scheme
    )

    (line,) = answer.headers.getlist("Set-Cookie")
    expected = {"HttpOnly", f"Path={path}", "SameSite=Strict"} | ({"Secure"} if secure else set())
    assert set(line.split("; ")[1:]) == expected
    assert line.startswith(browser.access.cookie.name)
    out = await browser.ask(
        "POST", "/logout", form={"csrf": browser.login.csrf}, headers=OURS | headers, scheme=scheme
    )
    (line,) = out.headers.getlist("Set-Cookie")
    assert f"Path={path}" in line.split("; ")


async def test_two_hosts_on_one_machine_have_cookies_of_their_own() -> None:
    names = {LoginCookie(lambda it=it: it, None).name for it in ("5d7bdc5c", "another")}

    assert len(names) == 2


async def test_logging_in_again_ends_the_login_before(browser: Browser) -> None:
    await browser.log_in()
    first = browser.jar[browser.access.cookie.name]
    await browser.log_in()

    assert browser.jar[browser.access.cookie.name] != first
    assert browser.access.logins.match(first) is None


async def test_logging_out_ends_the_login_and_takes_the_cookie_away(browser: Browser) -> None:
    await browser.log_in()
    cookie, csrf = dict(browser.jar), browser.login.csrf

    answer = await browser.ask("POST", "/logout", form={"csrf": csrf}, headers=OURS)

    assert (answer.status_code, answer.headers["Location"]) == (303, "./login")
    assert browser.jar == {}
    browser.jar = cookie
    assert (await browser.ask("GET", "/")).status_code == 303


async def test_a_login_that_idled_is_sent_to_log_in_again(browser: Browser) -> None:
    await browser.log_in()
    browser.now_ns = IDLE_NS

    assert (await browser.ask("GET", "/devices")).headers["Location"] == "./login?next=devices"


async def test_a_link_logs_in_once(browser: Browser) -> None:
    code = browser.access.links.make(browser.access.with_token(TOKEN, ""))

    assert (await browser.script("/login/code", {"code": code})).status_code == 204
    assert browser.login.fresh(browser.now_ns)
    browser.jar = {}
    assert (await browser.script("/login/code", {"code": code})).status_code == 401
    assert browser.jar == {}


@pytest.mark.parametrize("body", [{}, [], {"code": 1}, {"code": None}, None])
async def test_a_code_that_is_none_is_refused(browser: Browser, body: object) -> None:
    assert (await browser.script("/login/code", body)).status_code in (400, 401)


async def test_threat_23_a_code_in_the_address_is_worth_nothing(browser: Browser) -> None:
    code = browser.access.links.make(browser.access.with_token(TOKEN, ""))

    answer = await browser.ask("GET", f"/login?code={code}")

    assert "Set-Cookie" not in answer.headers
    assert code not in await answer.get_data(as_text=True)
    assert browser.access.links.take(code)


async def test_the_token_shown_again_makes_a_login_fresh(browser: Browser) -> None:
    await browser.log_in()
    login = browser.login
    browser.now_ns = FRESH_NS
    scoped, _ = browser.host.tokens.create(Scope.ADMIN)

    for wrong in ("wrong", scoped):
        refused = await browser.script("/login/confirm", {"token": wrong}, login.csrf)
        assert refused.status_code == 422
    assert not login.fresh(browser.now_ns)
    done = await browser.script("/login/confirm", {"token": TOKEN}, login.csrf)
    assert done.status_code == 204
    assert login.fresh(browser.now_ns)


async def test_who_comes_from_another_site_and_is_logged_in_need_not_do_so_again(
    browser: Browser,
) -> None:
    """The browser sends no cookie on such a way; a page that reloads itself is one of ours."""
    answer = await browser.ask(
        "GET", "/login?next=devices", headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert '<meta http-equiv="refresh" content="0">' in await answer.get_data(as_text=True)
    await browser.log_in()
    again = await browser.ask("GET", "/login?next=devices")
    assert again.headers["Location"] == "./devices"


async def test_a_link_from_elsewhere_keeps_its_code(browser: Browser) -> None:
    """It is behind the #, and would not survive that the page reloads itself."""
    answer = await browser.ask("GET", "/login?link", headers={"Sec-Fetch-Site": "cross-site"})

    assert 'id="login"' in await answer.get_data(as_text=True)


async def test_threat_23_nothing_secret_is_logged(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    code = browser.access.links.make(browser.access.with_token(TOKEN, ""))
    await browser.log_in("not-the-one")
    await browser.log_in()
    await browser.script("/login/code", {"code": "neither-this"})
    await browser.script("/login/code", {"code": code})
    await browser.script("/login/confirm", {"token": TOKEN}, browser.login.csrf)

    secrets = (
        TOKEN,
        code,
        "not-the-one",
        "neither-this",
        browser.login.csrf,
        *browser.jar.values(),
    )
    said = caplog.text + json.dumps([str(vars(it)) for it in caplog.records])
    assert "wrong token" in said
    assert [it for it in secrets if it in said] == []


@pytest.mark.parametrize("logged_in", [False, True])
async def test_pages_may_be_framed_by_nobody_and_load_from_nowhere_else(
    browser: Browser, logged_in: bool
) -> None:
    if logged_in:
        await browser.log_in()
    answer = await browser.ask("GET", "/no/such" if logged_in else "/login")

    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none';")
    # `no-referrer` would make a browser send `Origin: null` with our own forms.
    assert answer.headers["Referrer-Policy"] == "same-origin"
