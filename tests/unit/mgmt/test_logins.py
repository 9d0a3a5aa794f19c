"""Logins and links: how long they last, how many there are, and what ends them."""

from typing import Any

import attrs
import pytest

from punktfunk.mgmt.callers import Caller
from punktfunk.mgmt.links import LINK_S, MAX_LINKS, Links
from punktfunk.mgmt.logins import FRESH_NS, IDLE_NS, LONGEST_NS, MAX_LOGINS, Logins
from punktfunk.model.access import Scope

LINK_NS = LINK_S * 10**9
CALLER = Caller("mgmt-token", "mgmt-token", Scope.ADMIN)


@attrs.define
class Times:
    """Attributes:
    good: What the token is still worth.
    """

    now_ns: int = 0
    good: bool = True
    logins: Logins = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.logins = Logins(lambda caller: self.good, lambda: self.now_ns)


def test_a_cookie_is_a_login_and_another_is_none() -> None:
    times = Times()
    cookie, login = times.logins.open(CALLER)

    assert times.logins.match(cookie) is login
    assert times.logins.match(cookie[:-1]) is None
    assert times.logins.match("") is None
    assert login.scope is Scope.ADMIN


def test_threat_23_neither_the_cookie_nor_what_guards_changes_is_kept_or_shown() -> None:
    times = Times()
    cookie, login = times.logins.open(CALLER)

    assert cookie not in str(vars(times.logins))
    assert str(login.secret) not in repr(login)
    assert len({cookie, login.csrf, *times.logins.open(CALLER)}) == 4
    assert len(cookie) >= 43


def test_a_login_that_nobody_uses_ends_after_half_an_hour() -> None:
    times = Times()
    cookie, login = times.logins.open(CALLER)

    times.now_ns = IDLE_NS - 1
    times.logins.touch(login)
    times.now_ns += IDLE_NS - 1
    assert times.logins.match(cookie) is login
    times.now_ns += 1
    assert times.logins.match(cookie) is None
    assert not times.logins.is_open(login)


def test_matching_alone_does_not_prolong_it() -> None:
    times = Times()
    cookie, _ = times.logins.open(CALLER)

    for times.now_ns in range(0, IDLE_NS, IDLE_NS // 10):
        assert times.logins.match(cookie)
    times.now_ns = IDLE_NS
    assert times.logins.match(cookie) is None


def test_a_login_that_is_used_all_the_time_ends_after_twelve_hours() -> None:
    times = Times()
    cookie, login = times.logins.open(CALLER)

    for times.now_ns in range(0, LONGEST_NS, IDLE_NS // 2):
        assert times.logins.match(cookie) is login
        times.logins.touch(login)
    times.now_ns = LONGEST_NS
    assert times.logins.match(cookie) is None


def test_threat_35_a_login_that_is_over_cannot_be_brought_back() -> None:
    times = Times()
    cookie, login = times.logins.open(CALLER)
    times.now_ns = IDLE_NS
    assert not times.logins.is_open(login)

    times.logins.touch(login)
    times.now_ns = 0
    assert times.logins.match(cookie) is None


def test_it_ends_with_its_token() -> None:
    times = Times()
    cookie, login = times.logins.open(CALLER)
    times.good = False

    assert times.logins.match(cookie) is None
    times.good = True
    assert not times.logins.is_open(login)


def test_the_one_that_was_not_used_for_longest_makes_room() -> None:
    times = Times()
    opened = [times.logins.open(CALLER) for _ in range(MAX_LOGINS)]
    times.logins.touch(opened[0][1])

    times.logins.open(CALLER)

    left = [times.logins.match(cookie) is not None for cookie, _ in opened]
    assert left == [True, False, *[True] * (MAX_LOGINS - 2)]


def test_closing_one_leaves_the_others_and_closing_all_leaves_none() -> None:
    times = Times()
    (one, login), (other, _), (third, _) = (times.logins.open(CALLER) for _ in range(3))

    times.logins.close(login)
    times.logins.close(login)
    assert [bool(times.logins.match(it)) for it in (one, other, third)] == [False, True, True]
    times.logins.close_all()
    assert [bool(times.logins.match(it)) for it in (one, other, third)] == [False] * 3


def test_the_token_counts_as_shown_for_ten_minutes() -> None:
    times = Times()
    _, login = times.logins.open(CALLER)

    assert login.fresh(FRESH_NS - 1)
    assert not login.fresh(FRESH_NS)
    times.now_ns = FRESH_NS
    times.logins.confirm(login)
    assert login.fresh(times.now_ns + FRESH_NS - 1)


@pytest.mark.parametrize(("waited_ns", "good"), [(LINK_NS - 1, True), (LINK_NS, False)])
def test_a_link_is_good_once_and_for_two_minutes(waited_ns: int, good: bool) -> None:
    now_ns = 0
    links = Links(lambda: now_ns)
    code = links.make(CALLER)

    now_ns = waited_ns
    assert links.take(code) == (CALLER if good else None)
    now_ns = 0
    assert links.take(code) is None


def test_few_links_are_good_at_a_time_and_only_their_hashes_are_kept() -> None:
    links = Links(lambda: 0)
    codes = [links.make(CALLER) for _ in range(MAX_LINKS + 1)]

    kept: Any = str(vars(links))
    assert not any(code in kept for code in codes)
    assert [links.take(code) is not None for code in codes] == [False, *[True] * MAX_LINKS]


def test_what_guards_changes_is_written_differently_each_time_and_never_plainly() -> None:
    times = Times()
    (_, login), (_, other) = (times.logins.open(CALLER) for _ in range(2))
    written = [login.csrf for _ in range(100)]

    assert len(set(written)) == 100
    assert all(login.is_csrf(it) for it in written)
    assert not any(login.secret.hex() in it or other.is_csrf(it) for it in written)
    half = len(written[0]) // 2
    for wrong in ("", "é", "0", "00" * 64, written[0][:-2], written[0][:half], written[0] + "00"):
        assert not login.is_csrf(wrong), wrong
