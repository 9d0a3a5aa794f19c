"""Native pairing: the PIN window, the devices that wait, and what the plane is told."""

import json
import stat
from pathlib import Path

import attrs
import pytest

from punktfunk.errors import Refused, StateDamaged
from punktfunk.model.clients import Fingerprint, fingerprint_of, readable_name
from punktfunk.trust.native import NativePairing
from punktfunk.trust.pending import LIFETIME_NS, MAX_PENDING, MAX_PER_ADDRESS
from punktfunk.trust.pin_window import COOL_DOWN_NS, NotArmed, TooSoon, mint_pin
from punktfunk.trust.store import MAX_CLIENTS, NATIVE_CLIENTS_FILE, NativeClientStore

S_NS = 1_000_000_000
DECK, PHONE = fingerprint_of(b"deck"), fingerprint_of(b"phone")


@attrs.define
class Clock:
    now_ns: int = 0

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def native(tmp_path: Path, clock: Clock) -> NativePairing:
    made = NativePairing(NativeClientStore(tmp_path), now_ns=clock)
    made.enable()
    return made


def numbered(number: int) -> Fingerprint:
    return Fingerprint(f"{number:064x}")


# --- the PIN window --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "given"),
    [(None, 120), (0, 15), (14, 15), (15, 15), (90, 90), (600, 600), (601, 600), (2**31 - 1, 600)],
)
def test_the_window_is_kept_within_its_bounds(
    native: NativePairing, clock: Clock, asked: int | None, given: int
) -> None:
    assert native.arm(asked).seconds_left == given

    clock.now_ns = given * S_NS - 1
    assert native.shown_pin()
    clock.now_ns += 1
    assert native.shown_pin() is None


def test_a_window_that_has_closed_stays_closed_when_the_clock_jumps_back(
    native: NativePairing, clock: Clock
) -> None:
    native.arm(15)
    clock.now_ns = 15 * S_NS

    assert native.shown_pin() is None
    clock.now_ns = 0
    assert native.shown_pin() is None


def test_pins_are_four_digits_and_not_always_the_same() -> None:
    pins = {mint_pin() for _ in range(50)}

    assert all(len(pin) == 4 and pin.isascii() and pin.isdigit() for pin in pins)
    assert len(pins) > 10


def test_a_pin_is_in_no_representation(native: NativePairing) -> None:
    shown = native.arm()

    assert shown.pin not in repr(attrs.evolve(shown, seconds_left=1))


def test_arming_again_replaces_the_pin_and_the_time(tmp_path: Path, clock: Clock) -> None:
    pins = iter(("1111", "2222"))
    native = NativePairing(NativeClientStore(tmp_path), now_ns=clock, mint=lambda: next(pins))
    native.enable()
    native.arm(15)
    clock.now_ns = 14 * S_NS

    native.arm(60)

    shown = native.shown_pin()
    assert shown
    assert (shown.pin, shown.seconds_left) == ("2222", 60)


def test_one_pin_is_one_guess(native: NativePairing, clock: Clock) -> None:
    native.arm()
    pin = native.begin()

    native.spend(pin)

    assert native.shown_pin() is None
    clock.now_ns += COOL_DOWN_NS
    with pytest.raises(NotArmed):
        native.begin()


def test_a_malformed_beginning_uses_nothing_up(native: NativePairing, clock: Clock) -> None:
    native.arm()
    first = native.begin()
    clock.now_ns += COOL_DOWN_NS

    assert native.begin() == first


def test_ceremonies_are_slowed_down_whoever_they_are_with(
    native: NativePairing, clock: Clock
) -> None:
    native.arm()
    native.begin()
    clock.now_ns += COOL_DOWN_NS - 1

    with pytest.raises(TooSoon):
        native.begin()
    native.disarm()
    native.arm()
    with pytest.raises(TooSoon):
        native.begin()


def test_what_an_older_ceremony_spends_is_not_the_new_pin(tmp_path: Path, clock: Clock) -> None:
    pins = iter(("1111", "2222"))
    native = NativePairing(NativeClientStore(tmp_path), now_ns=clock, mint=lambda: next(pins))
    native.enable()
    native.arm()
    older = native.begin()
    native.arm()

    native.spend(older)

    assert native.shown_pin()


# --- devices that wait -----------------------------------------------------------------------


def test_a_device_that_knocks_again_keeps_its_number(native: NativePairing, clock: Clock) -> None:
    first = native.knock(DECK, "Deck", "192.168.1.2")
    native.knock(PHONE, "Phone", "192.168.1.3")
    clock.now_ns = 60 * S_NS

    again = native.knock(DECK, "Steam Deck", "192.168.1.4")

    assert again.id == first.id
    assert [(it.name, it.age_s) for it in native.pending()] == [("Phone", 60), ("Steam Deck", 0)]


def test_a_device_is_forgotten_ten_minutes_after_its_last_knock(
    native: NativePairing, clock: Clock
) -> None:
    native.knock(DECK, "Deck", "192.168.1.2")
    clock.now_ns = LIFETIME_NS - 1
    native.knock(PHONE, "Phone", "192.168.1.3")
    assert len(native.pending()) == 2

    clock.now_ns += 1

    assert [it.name for it in native.pending()] == ["Phone"]
    assert native.approve(0) is None


def test_who_knocked_longest_ago_makes_room(native: NativePairing, clock: Clock) -> None:
    for number in range(MAX_PENDING):
        native.knock(numbered(number), "", f"10.0.0.{number}")
    native.knock(numbered(0), "", "10.0.0.0")

    native.knock(DECK, "Deck", "10.0.1.1")

    left = {it.fingerprint for it in native.pending()}
    assert len(left) == MAX_PENDING
    assert numbered(1) not in left
    assert {numbered(0), DECK} <= left


def test_one_address_cannot_push_the_others_out(native: NativePairing) -> None:
    native.knock(PHONE, "Phone", "192.168.1.3")

    for number in range(1_000):
        native.knock(numbered(number), "", "192.168.1.66")

    assert len(native.pending()) == MAX_PER_ADDRESS + 1
    assert native.pending()[0].fingerprint == PHONE
    assert all(0 <= it.id < 2**31 for it in native.pending())


def test_numbers_stay_int32_and_are_never_given_twice(native: NativePairing) -> None:
    kept = native.knock(PHONE, "Phone", "192.168.1.3")
    native._pending._next_id = 2**31 - 1

    last = native.knock(DECK, "Deck", "192.168.1.2")
    wrapped = native.knock(numbered(1), "", "192.168.1.4")

    assert (kept.id, last.id, wrapped.id) == (0, 2**31 - 1, 1)


def test_threat_28_a_hostile_name_is_escaped_and_cut() -> None:
    assert readable_name("\x1b[31mDeck\n\u202egnp.exe\ud800", DECK) == (
        r"\x1b[31mDeck\n\u202egnp.exe\ud800"
    )
    assert len(readable_name("x" * 10_000, DECK)) == 64
    assert readable_name(" \u2003 ", DECK) == f"Device {DECK[:8]}"
    assert readable_name("Küche 📺", DECK) == "Küche 📺"


def test_threat_28_names_are_escaped_on_every_way_into_lists_and_store(
    native: NativePairing,
) -> None:
    waiting = native.knock(DECK, "\x1b]0;x\x07", "192.168.1.2")

    approved = native.approve(waiting.id, "TV\u202e")
    proved = native.proved(PHONE, "a\x00b")

    assert waiting.name == r"\x1b]0;x\x07"
    assert approved
    assert approved.name == r"TV\u202e"
    assert proved.name == r"a\x00b"


# --- decisions -------------------------------------------------------------------------------


def test_an_approved_device_is_paired_on_disk_and_told_of(
    native: NativePairing, tmp_path: Path
) -> None:
    added: list[str] = []
    native.store.on_added(lambda client: added.append(client.name))
    waiting = native.knock(DECK, "Deck", "192.168.1.2")

    client = native.approve(waiting.id, "  ")

    assert client
    assert (client.name, added, native.pending()) == ("Deck", ["Deck"], ())
    assert native.is_paired(DECK)
    assert not native.is_paired(PHONE)
    again = NativeClientStore(tmp_path)
    assert again.clients() == (client,)
    assert stat.S_IMODE((tmp_path / NATIVE_CLIENTS_FILE).stat().st_mode) == 0o600


def test_a_denied_device_may_knock_again(native: NativePairing) -> None:
    denied: list[str] = []
    native.on_denied = denied.append
    waiting = native.knock(DECK, "Deck", "192.168.1.2")

    assert native.deny(waiting.id)
    assert not native.deny(waiting.id)
    assert denied == [DECK]
    assert native.approve(waiting.id) is None
    assert native.knock(DECK, "Deck", "192.168.1.2").id != waiting.id


def test_a_device_that_proved_the_pin_waits_no_longer(native: NativePairing) -> None:
    native.knock(DECK, "Deck", "192.168.1.2")

    native.proved(DECK, "Deck")

    assert native.pending() == ()


def test_a_removed_device_is_out_at_once_and_told_of(native: NativePairing) -> None:
    removed: list[str] = []
    native.store.on_removed(removed.append)
    native.proved(DECK, "Deck")

    assert native.unpair(DECK)
    assert not native.unpair(DECK)
    assert removed == [DECK]
    assert not native.is_paired(DECK)


def test_without_room_a_device_goes_on_waiting(native: NativePairing) -> None:
    for number in range(MAX_CLIENTS):
        native.proved(numbered(number), "")
    waiting = native.knock(DECK, "Deck", "192.168.1.2")

    with pytest.raises(Refused):
        native.approve(waiting.id)

    assert [it.id for it in native.pending()] == [waiting.id]


def test_nothing_is_decided_until_the_plane_is_there(tmp_path: Path) -> None:
    native = NativePairing(NativeClientStore(tmp_path))

    for decide in (
        native.arm,
        native.disarm,
        lambda: native.approve(0),
        lambda: native.deny(0),
        lambda: native.unpair(DECK),
    ):
        with pytest.raises(Refused) as caught:
            decide()
        assert caught.value.fields["status"] == 503


def test_a_damaged_file_is_never_an_empty_list(tmp_path: Path) -> None:
    NativePairing(NativeClientStore(tmp_path)).proved(DECK, "Deck")
    path = tmp_path / NATIVE_CLIENTS_FILE
    entry = json.loads(path.read_text())
    entry["clients"][0]["fingerprint"] = "short"

    for text in ("", "{}", "[]", json.dumps(entry)):
        path.write_text(text)
        with pytest.raises(StateDamaged, match=NATIVE_CLIENTS_FILE):
            NativeClientStore(tmp_path)
