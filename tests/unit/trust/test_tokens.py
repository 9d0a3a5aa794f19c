"""Scoped tokens: hashed, bounded, revoked and expired for good."""

import json
import stat
from pathlib import Path

import attrs
import pytest

from punktfunk.errors import Refused, StateDamaged
from punktfunk.model.access import Scope
from punktfunk.trust.tokens import MAX_TOKENS, TOKENS_FILE, TokenStore

DAY_S = 86_400
NOW_S = 1_800_000_000


@attrs.define
class Clocks:
    """The calendar and the clock that only goes on."""

    wall_s: float = NOW_S
    now_ns: int = 0

    def pass_days(self, days: float) -> None:
        self.wall_s += days * DAY_S
        self.now_ns += int(days * DAY_S * 1_000_000_000)

    def store(self, folder: Path) -> TokenStore:
        return TokenStore(folder, wall_s=lambda: self.wall_s, now_ns=lambda: self.now_ns)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def test_a_token_is_known_again_after_a_restart(tmp_path: Path, clocks: Clocks) -> None:
    text, made = clocks.store(tmp_path).create(Scope.CONTROL, "Home automation")

    assert clocks.store(tmp_path).match(text) == made
    assert made.scope is Scope.CONTROL


def test_only_a_hash_is_kept_in_a_private_file(tmp_path: Path, clocks: Clocks) -> None:
    text, made = clocks.store(tmp_path).create(Scope.READ)

    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert files
    for path in files:
        assert text not in path.read_text()
        assert text.removeprefix("pft_") not in path.read_text()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert text not in repr(made)
    assert made.sha256 not in repr(made)


def test_tokens_are_long_and_never_the_same(tmp_path: Path, clocks: Clocks) -> None:
    store = clocks.store(tmp_path)

    texts = [store.create(Scope.READ)[0] for _ in range(8)]

    assert len(set(texts)) == 8
    assert all(len(text) >= 47 for text in texts)


@pytest.mark.parametrize("wrong", ["", "x", "pft_", "ü", "pft_" + "A" * 43])
def test_what_was_never_made_matches_nothing(tmp_path: Path, clocks: Clocks, wrong: str) -> None:
    store = clocks.store(tmp_path)
    text, made = store.create(Scope.ADMIN)

    assert store.match(wrong) is None
    assert store.match(text + "=") is None
    assert store.match(text[:-1]) is None
    assert store.match(made.sha256) is None


def test_a_revoked_token_is_worth_nothing_at_once_and_after_a_restart(
    tmp_path: Path, clocks: Clocks
) -> None:
    store = clocks.store(tmp_path)
    text, made = store.create(Scope.READ)
    other, _ = store.create(Scope.READ)

    assert store.revoke(made.id)
    assert not store.revoke(made.id)
    for it in (store, clocks.store(tmp_path)):
        assert it.match(text) is None
        assert it.match(other)


def test_a_token_that_could_not_be_taken_off_the_disk_is_worth_nothing_all_the_same(
    tmp_path: Path, clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = clocks.store(tmp_path)
    text, made = store.create(Scope.READ)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("punktfunk.trust.records.write_with_backup", full)
    with pytest.raises(OSError):
        store.revoke(made.id)
    with pytest.raises(OSError):
        store.create(Scope.READ)

    assert store.match(text) is None
    assert store.tokens() == ()


def test_a_token_expires_on_its_day(tmp_path: Path, clocks: Clocks) -> None:
    store = clocks.store(tmp_path)
    text, _ = store.create(Scope.READ, expires_days=30)

    clocks.pass_days(29.99)
    assert store.match(text)
    clocks.pass_days(0.01)
    assert store.match(text) is None
    assert store.tokens()[0].expired


def test_threat_35_a_calendar_that_is_set_back_prolongs_no_token(
    tmp_path: Path, clocks: Clocks
) -> None:
    store = clocks.store(tmp_path)
    text, _ = store.create(Scope.READ, expires_days=30)
    clocks.pass_days(20)
    clocks.wall_s = NOW_S

    clocks.pass_days(9.99)
    assert store.match(text)
    clocks.pass_days(0.01)
    assert store.match(text) is None


def test_threat_35_a_token_that_was_seen_to_expire_stays_so_after_a_restart(
    tmp_path: Path, clocks: Clocks
) -> None:
    store = clocks.store(tmp_path)
    text, _ = store.create(Scope.READ, expires_days=1)
    clocks.pass_days(2)
    assert store.match(text) is None

    clocks.wall_s = NOW_S

    assert store.match(text) is None
    assert clocks.store(tmp_path).match(text) is None


def test_threat_35_a_clock_from_before_the_token_opens_nothing_and_ends_nothing(
    tmp_path: Path, clocks: Clocks
) -> None:
    text, _ = clocks.store(tmp_path).create(Scope.READ, expires_days=1)
    clocks.wall_s = 0
    store = clocks.store(tmp_path)

    assert store.match(text) is None
    clocks.wall_s = NOW_S
    assert store.match(text)


def test_the_number_of_tokens_is_bounded(tmp_path: Path, clocks: Clocks) -> None:
    store = clocks.store(tmp_path)
    for _ in range(MAX_TOKENS):
        store.create(Scope.READ)

    with pytest.raises(Refused, match="revoke one"):
        store.create(Scope.READ)


@pytest.mark.parametrize(
    ("name", "days"), [("x" * 65, None), ("a\x1b[0m", None), ("", 0), ("", 3_651)]
)
def test_what_is_out_of_bounds_makes_no_token(
    tmp_path: Path, clocks: Clocks, name: str, days: int | None
) -> None:
    store = clocks.store(tmp_path)

    with pytest.raises(Refused) as caught:
        store.create(Scope.READ, name, days)

    assert caught.value.fields["status"] == 400
    assert store.tokens() == ()


@pytest.mark.parametrize("member", ["id", "scope", "sha256", "created_at_unix"])
def test_a_damaged_file_stops_the_start(tmp_path: Path, clocks: Clocks, member: str) -> None:
    clocks.store(tmp_path).create(Scope.READ)
    path = tmp_path / TOKENS_FILE
    document = json.loads(path.read_text())
    document["tokens"][0][member] = ["ü"]
    path.write_text(json.dumps(document))

    with pytest.raises(StateDamaged, match=TOKENS_FILE):
        clocks.store(tmp_path)


def test_what_another_version_wrote_is_kept(tmp_path: Path, clocks: Clocks) -> None:
    clocks.store(tmp_path).create(Scope.READ)
    path = tmp_path / TOKENS_FILE
    document = json.loads(path.read_text())
    document["more"] = 1
    document["tokens"][0]["colour"] = "teal"
    path.write_text(json.dumps(document))

    clocks.store(tmp_path).create(Scope.ADMIN)

    written = json.loads(path.read_text())
    assert written["more"] == 1
    assert written["tokens"][0]["colour"] == "teal"


def test_each_scope_includes_those_before_it() -> None:
    order = [Scope.READ, Scope.CONTROL, Scope.ADMIN]

    for number, scope in enumerate(order):
        assert [scope.includes(other) for other in order] == [i <= number for i in range(3)]
