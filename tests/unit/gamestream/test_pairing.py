import json
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from punktfunk.errors import ProtocolError, Refused
from punktfunk.gamestream.certificates import der_from_pem, read_certificate
from punktfunk.gamestream.pairing import (
    AttemptKey,
    HostCredential,
    Phase,
    read_request,
    shown_name,
)
from punktfunk.gamestream.pairing_limits import MAX_ADDRESSES, PairingLimits
from punktfunk.gamestream.pairing_table import (
    FINISH_NS,
    MAX_ATTEMPTS,
    MAX_WAITING,
    WAIT_NS,
    NoAttemptWaiting,
    PairingTable,
    SeveralWaiting,
)

VECTOR = json.loads((Path(__file__).parents[2] / "vectors/gamestream/pairing.json").read_text())
KEY = AttemptKey.of("0123456789ABCDEF", "192.168.1.20")
HOST_KEY = load_der_private_key(bytes.fromhex(VECTOR["host_key_pkcs8_der_hex_TEST_ONLY"]), None)
HOST_PEM = VECTOR["host_cert_pem"].encode()
HOST_SIGNATURE = read_certificate(der_from_pem(HOST_PEM)).signature
HOST = HostCredential(
    certificate_pem=HOST_PEM,
    signature=HOST_SIGNATURE,
    sign=lambda message: HOST_KEY.sign(message, PKCS1v15(), SHA256()),
)


def request_of(client, salt: bytes = bytes(16), name: str = "roth"):
    return read_request(name, salt, client.certificate_pem)


def stage(number: int, name: str) -> bytes:
    return bytes.fromhex(VECTOR["stages"][number - 1]["query"][name])


def answer(number: int, name: str) -> bytes:
    return bytes.fromhex(VECTOR["stages"][number - 1]["response"][name])


def test_the_recorded_pairing_is_answered_byte_by_byte() -> None:
    recorded = [bytes.fromhex(VECTOR["server_secret"]), bytes.fromhex(VECTOR["server_challenge"])]
    table = PairingTable(HOST, random_bytes=lambda _count: recorded.pop(0))
    request = read_request("roth", stage(1, "salt"), stage(1, "clientcert"))

    attempt = table.begin(KEY, request, 0)
    table.enter_pin(VECTOR["pin"], attempt.id, 1)
    challenge_response = table.answer_challenge(KEY, stage(2, "clientchallenge"), 2)
    pairing_secret = table.answer_response(KEY, stage(3, "serverchallengeresp"), 3)
    _, certificate = table.judge_secret(KEY, stage(4, "clientpairingsecret"), 4)

    assert HOST.certificate_pem == answer(1, "plaincert")
    assert challenge_response == answer(2, "challengeresponse")
    assert pairing_secret == answer(3, "pairingsecret")
    assert certificate is not None
    assert certificate.der == der_from_pem(VECTOR["client_cert_pem"].encode())


def run_stages(table: PairingTable, key: AttemptKey, pairing, now_ns: int = 0):
    """Stages 2 to 4 as a client that never looks at what the host proves."""
    reply = table.answer_challenge(key, pairing.stage2(), now_ns)
    table.answer_response(key, pairing.stage3(reply), now_ns)
    return table.judge_secret(key, pairing.stage4(), now_ns)[1]


def test_both_sides_see_the_same_pin(moonlights) -> None:
    table = PairingTable(HOST)
    pairing = moonlights[0].pairing("4711")
    table.begin(KEY, request_of(moonlights[0], pairing.salt), 0)
    table.enter_pin("4711", None, 0)

    reply = table.answer_challenge(KEY, pairing.stage2(), 0)
    secret = table.answer_response(KEY, pairing.stage3(reply), 0)

    assert pairing.host_knew_the_pin(secret, HOST_SIGNATURE)
    HOST_KEY.public_key().verify(secret[16:], secret[:16], PKCS1v15(), SHA256())
    assert table.judge_secret(KEY, pairing.stage4(), 0)[1].fingerprint == moonlights[0].fingerprint


def test_a_wrong_pin_ends_the_attempt_and_the_right_one_comes_too_late(moonlights) -> None:
    table = PairingTable(HOST)
    pairing = moonlights[0].pairing("4711")
    attempt = table.begin(KEY, request_of(moonlights[0], pairing.salt), 0)
    table.enter_pin("1174", attempt.id, 0)

    with pytest.raises(NoAttemptWaiting):
        table.enter_pin("4711", attempt.id, 0)

    assert run_stages(table, KEY, pairing) is None
    assert attempt.phase is Phase.FAILED
    with pytest.raises(NoAttemptWaiting):
        table.enter_pin("4711", attempt.id, 0)


def test_somebody_elses_certificate_without_its_key_is_not_paired(moonlights) -> None:
    victim, thief = moonlights[:2]
    table = PairingTable(HOST)
    pairing = victim.pairing("4711")
    table.begin(KEY, request_of(victim, pairing.salt), 0)
    table.enter_pin("4711", None, 0)
    reply = table.answer_challenge(KEY, pairing.stage2(), 0)
    table.answer_response(KEY, pairing.stage3(reply), 0)
    forged = pairing.secret + thief.key.sign(pairing.secret, PKCS1v15(), SHA256())

    assert table.judge_secret(KEY, forged, 0)[1] is None


def test_a_pin_must_name_its_attempt_when_several_wait(moonlights) -> None:
    table = PairingTable(HOST)
    other = AttemptKey.of("0123456789ABCDEF", "192.168.1.66")
    first = table.begin(KEY, request_of(moonlights[0]), 0)
    second = table.begin(other, request_of(moonlights[1]), 0)

    with pytest.raises(SeveralWaiting) as refused:
        table.enter_pin("1234", None, 0)
    entered = table.enter_pin("1234", first.id, 0)

    assert refused.value.code == "pairing_ambiguous"
    assert entered is first
    assert second.phase is Phase.PIN
    with pytest.raises(ProtocolError, match="out of order"):
        table.answer_challenge(other, bytes(16), 0)
    assert second.phase is Phase.FAILED


def test_a_pin_for_an_attempt_that_was_replaced_reaches_nobody(moonlights) -> None:
    table = PairingTable(HOST)
    old = table.begin(KEY, request_of(moonlights[0]), 0)
    new = table.begin(KEY, request_of(moonlights[1]), 0)

    with pytest.raises(NoAttemptWaiting):
        table.enter_pin("1234", old.id, 0)

    assert (old.phase, new.phase) == (Phase.FAILED, Phase.PIN)
    assert len(table) == 1


def test_dropping_a_replaced_attempt_leaves_the_new_one(moonlights) -> None:
    table = PairingTable(HOST)
    old = table.begin(KEY, request_of(moonlights[0]), 0)
    new = table.begin(KEY, request_of(moonlights[0]), 0)

    table.drop_attempt(old)

    assert table.waiting(0) == (new,)


def test_one_attempt_an_address(moonlights) -> None:
    table = PairingTable(HOST)
    table.begin(KEY, request_of(moonlights[0]), 0)

    with pytest.raises(Refused, match="this address"):
        table.begin(AttemptKey.of("other", KEY.address), request_of(moonlights[1]), 0)


def test_at_most_four_wait(moonlights) -> None:
    table = PairingTable(HOST)
    for number in range(MAX_WAITING):
        table.begin(AttemptKey.of("", f"10.0.0.{number}"), request_of(moonlights[0]), 0)

    with pytest.raises(Refused, match="too many"):
        table.begin(KEY, request_of(moonlights[0]), 0)


def test_an_attempt_expires_and_a_clock_that_jumps_back_prolongs_nothing(moonlights) -> None:
    table = PairingTable(HOST)
    attempt = table.begin(KEY, request_of(moonlights[0]), 1_000)
    assert table.waiting(999) == (attempt,)
    assert table.waiting(WAIT_NS + 999) == (attempt,)

    assert table.waiting(WAIT_NS + 1_000) == ()

    with pytest.raises(NoAttemptWaiting):
        table.enter_pin("1234", attempt.id, 1_000)


def test_the_stages_after_the_pin_have_a_time_limit(moonlights) -> None:
    table = PairingTable(HOST)
    table.begin(KEY, request_of(moonlights[0]), 0)
    table.enter_pin("1234", None, WAIT_NS - 1)

    with pytest.raises(ProtocolError, match="no pairing"):
        table.answer_challenge(KEY, bytes(16), WAIT_NS - 1 + FINISH_NS)


@pytest.mark.parametrize("pin", ["", "12a4", "١٢٣٤", "1" * 17, " 123", "-123"])
def test_a_malformed_pin_changes_nothing(moonlights, pin: str) -> None:
    table = PairingTable(HOST)
    attempt = table.begin(KEY, request_of(moonlights[0]), 0)

    with pytest.raises(ProtocolError, match="1 to 16 digits"):
        table.enter_pin(pin, attempt.id, 0)

    assert table.waiting(0) == (attempt,)


@pytest.mark.parametrize("length", [0, 15, 17, 32, 100_000])
def test_a_challenge_of_wrong_length_ends_the_attempt(moonlights, length: int) -> None:
    table = PairingTable(HOST)
    attempt = table.begin(KEY, request_of(moonlights[0]), 0)
    table.enter_pin("1234", None, 0)

    with pytest.raises(ProtocolError):
        table.answer_challenge(KEY, bytes(length), 0)

    assert attempt.phase is Phase.FAILED


@pytest.mark.parametrize("length", [0, 16, 16 + 513])
def test_a_secret_of_wrong_length_ends_the_attempt(moonlights, length: int) -> None:
    table = PairingTable(HOST)
    pairing = moonlights[0].pairing("1234")
    attempt = table.begin(KEY, request_of(moonlights[0], pairing.salt), 0)
    table.enter_pin("1234", None, 0)
    reply = table.answer_challenge(KEY, pairing.stage2(), 0)
    table.answer_response(KEY, pairing.stage3(reply), 0)

    with pytest.raises(ProtocolError):
        table.judge_secret(KEY, bytes(length), 0)

    assert attempt.phase is Phase.FAILED


@pytest.mark.parametrize("salt", [b"", bytes(15), bytes(17), bytes(1_000_000)])
def test_a_salt_of_wrong_length_is_refused(moonlights, salt: bytes) -> None:
    with pytest.raises(ProtocolError):
        request_of(moonlights[0], salt)


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(public_exponent=65_537, key_size=1_024),
        ec.generate_private_key(ec.SECP256R1()),
    ],
    ids=["RSA-1024", "EC"],
)
def test_a_key_that_no_client_has_is_refused(make_moonlight, key) -> None:
    with pytest.raises(ProtocolError, match="key"):
        request_of(make_moonlight(key))


def test_a_key_that_cannot_be_read_is_refused(moonlights) -> None:
    der = moonlights[0].certificate_der
    oid = bytes.fromhex("06092a864886f70d010101")  # rsaEncryption
    pem = ssl.DER_cert_to_PEM_cert(der.replace(oid, oid[:-1] + b"\x7f"))

    with pytest.raises(ProtocolError, match="key"):
        read_request("roth", bytes(16), pem.encode())


def test_a_client_id_without_end_is_refused() -> None:
    with pytest.raises(ProtocolError):
        AttemptKey.of("x" * 65, "10.0.0.1")


def test_ten_thousand_attempts_are_slowed_down_for_one_address(moonlights) -> None:
    table = PairingTable(HOST)
    request = request_of(moonlights[0])
    begun = 0
    for number in range(10_000):
        try:
            table.begin(KEY, request, number * 1_000_000)  # one a millisecond, 10 s in all
            begun += 1
        except Refused as refused:
            assert refused.fields["status"] == 503

    assert begun <= 12
    table.begin(KEY, request, 3_600 * 10**9)


def test_many_addresses_share_one_limit_and_a_bounded_table() -> None:
    limits = PairingLimits()

    taken = sum(limits.take(f"10.0.{n >> 8}.{n & 255}", 0) == 0 for n in range(10_000))

    assert taken == 30
    assert len(limits._by_address) <= MAX_ADDRESSES


def test_pairing_over_and_over_is_not_slowed_down_while_it_succeeds(moonlights) -> None:
    table = PairingTable(HOST)

    for _ in range(40):
        pairing = moonlights[0].pairing("1234")
        table.begin(KEY, request_of(moonlights[0], pairing.salt), 0)
        table.enter_pin("1234", None, 0)
        assert run_stages(table, KEY, pairing) is not None

    assert len(table) <= 1


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("roth", "Moonlight"),
        ("", "Moonlight"),
        ("Anna's iPad", "Anna's iPad"),
        ("a\x1b[31m\u202eb\n", "a[31mb"),
        ("x" * 500, "x" * 64),
    ],
)
def test_names_are_safe_to_show(sent: str, shown: str) -> None:
    assert shown_name(sent) == shown


def test_no_secret_is_in_a_repr(moonlights) -> None:
    table = PairingTable(HOST)
    salt = bytes.fromhex("00112233445566778899aabbccddeeff")
    request = request_of(moonlights[0], salt)
    attempt = table.begin(KEY, request, 0)
    table.enter_pin("867530", None, 0)
    table.answer_challenge(KEY, bytes(16), 0)

    shown = repr(attempt) + repr(request) + repr(HOST) + repr(vars(table))

    for secret in ("867530", repr(salt)[2:-1], repr(attempt._aes_key), repr(attempt._secret)):
        assert secret not in shown


class Interleaved(RuleBasedStateMachine):
    """Two clients and a person do everything in any order; the model knows who may be paired."""

    clients = ()  # set by the test below
    pairings_done = 0

    def __init__(self) -> None:
        super().__init__()
        self.now_ns = 0
        self.table = PairingTable(HOST)
        self.pairings = {}
        self.progress = {}
        self.paired = set()

    def key(self, who: int) -> AttemptKey:
        return AttemptKey.of("0123456789ABCDEF", f"10.0.0.{who}")

    def failed(self, who: int) -> None:
        self.progress.pop(who, None)

    @rule(who=st.integers(0, 1))
    def begin(self, who: int) -> None:
        self.now_ns += 7 * 10**9  # slower than the rate limit
        self.expire()
        pairing = self.clients[who].pairing("1234")
        self.table.begin(self.key(who), request_of(self.clients[who], pairing.salt), self.now_ns)
        self.pairings[who] = pairing
        self.progress[who] = ["pin", True, b"", self.now_ns + WAIT_NS]

    def expire(self) -> None:
        self.progress = {w: p for w, p in self.progress.items() if self.now_ns < p[3]}

    @rule(right=st.booleans(), named=st.sampled_from([None, 0, 1]))
    def enter_pin(self, right: bool, named: int | None) -> None:
        waiting = {a.key: a for a in self.table.waiting(self.now_ns)}
        attempt = waiting.get(self.key(named)) if named is not None else None
        expected = [who for who, state in self.progress.items() if state[0] == "pin"]
        if named is not None and attempt is None:
            assert named not in expected
            return
        try:
            entered = self.table.enter_pin(
                "1234" if right else "4321", attempt.id if attempt else None, self.now_ns
            )
        except SeveralWaiting:
            assert named is None and len(expected) == 2
            return
        except NoAttemptWaiting:
            assert expected == []
            return
        who = named if named is not None else expected[0]
        assert entered.key == self.key(who)
        self.progress[who][0:2] = ["challenge", right]
        self.progress[who][3] = self.now_ns + FINISH_NS

    @rule(who=st.integers(0, 1), bad=st.booleans())
    def challenge(self, who: int, bad: bool) -> None:
        state = self.progress.get(who)
        data = self.pairings[who].stage2() if who in self.pairings else bytes(16)
        try:
            reply = self.table.answer_challenge(self.key(who), data[bad:], self.now_ns)
        except ProtocolError:
            assert bad or state is None or state[0] != "challenge"
            self.failed(who)
        else:
            assert state is not None and state[0] == "challenge" and not bad
            state[0], state[2] = "response", reply

    @rule(who=st.integers(0, 1), bad=st.booleans())
    def response(self, who: int, bad: bool) -> None:
        state = self.progress.get(who)
        data = self.pairings[who].stage3(state[2]) if state and state[2] else bytes(32)
        try:
            self.table.answer_response(self.key(who), data[bad:], self.now_ns)
        except ProtocolError:
            assert bad or state is None or state[0] != "response"
            self.failed(who)
        else:
            assert state is not None and state[0] == "response" and not bad
            state[0] = "secret"

    @rule(who=st.integers(0, 1), other=st.booleans())
    def secret(self, who: int, other: bool) -> None:
        """`other` sends what the other client would send."""
        state = self.progress.get(who)
        sender = 1 - who if other else who
        data = self.pairings[sender].stage4() if sender in self.pairings else bytes(272)
        try:
            _, certificate = self.table.judge_secret(self.key(who), data, self.now_ns)
        except ProtocolError:
            assert state is None or state[0] != "secret"
        else:
            assert state is not None and state[0] == "secret"
            right = state[1] and not other
            assert (certificate is not None) == right
            if certificate is not None:
                assert certificate.fingerprint == self.clients[who].fingerprint
                Interleaved.pairings_done += 1
        self.failed(who)

    def proceed(self, who: int) -> None:
        """What a well-behaved client and a person who reads well do next."""
        stage = self.progress.get(who, ["none"])[0]
        if stage == "none":
            self.begin(who)
        elif stage == "pin":
            self.enter_pin(True, who)
        elif stage == "secret":
            self.secret(who, False)
        else:
            {"challenge": self.challenge, "response": self.response}[stage](who, False)

    @rule(who=st.integers(0, 1), steps=st.integers(1, 5))
    def proceed_undisturbed(self, who: int, steps: int) -> None:
        for _ in range(steps):
            self.proceed(who)

    @rule(whos=st.lists(st.integers(0, 1), min_size=2, max_size=10))
    def proceed_together(self, whos: list[int]) -> None:
        for who in whos:
            self.proceed(who)

    @rule(who=st.integers(0, 1))
    def unpair(self, who: int) -> None:
        self.table.drop(self.key(who))
        self.failed(who)

    @rule(seconds=st.sampled_from([1, 29, 31, 179]))
    def time_passes(self, seconds: int) -> None:
        self.now_ns += seconds * 10**9
        self.expire()

    @invariant()
    def model_and_table_agree(self) -> None:
        self.table.expire(self.now_ns)
        phases = {a.key: a.phase.value for a in self.table}
        assert phases == {self.key(who): state[0] for who, state in self.progress.items()}
        assert len(self.table) <= MAX_ATTEMPTS


def test_interleaved_and_out_of_order_stages_pair_nobody_who_should_not_be(moonlights) -> None:
    Interleaved.clients = moonlights[:2]
    Interleaved.pairings_done = 0
    run_state_machine_as_test(
        Interleaved,
        settings=settings(
            derandomize=True,
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

    assert Interleaved.pairings_done > 10  # else the machine has lost its way
