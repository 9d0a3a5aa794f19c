import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from punktfunk.errors import ProtocolError
from punktfunk.gamestream.certificates import (
    MAX_DER_BYTES,
    MAX_PEM_BYTES,
    der_from_pem,
    read_certificate,
)

VECTOR = json.loads((Path(__file__).parents[2] / "vectors/gamestream/pairing.json").read_text())
DER = der_from_pem(VECTOR["client_cert_pem"].encode())


def test_signature_and_subject_of_the_recorded_certificates() -> None:
    host = read_certificate(der_from_pem(VECTOR["host_cert_pem"].encode()))
    client = read_certificate(DER)

    assert host.signature.hex() == VECTOR["host_cert_signature"]
    assert client.signature.hex() == VECTOR["client_cert_signature"]
    assert client.subject == "CN=NVIDIA GameStream Client"
    assert client.not_before_unix == 1_704_067_200
    assert client.not_after_unix == 2_335_219_200


def test_moonlights_serial_number_zero_is_read(make_moonlight) -> None:
    client = make_moonlight()

    facts = read_certificate(der_from_pem(client.certificate_pem))

    assert facts.der == client.certificate_der
    assert facts.fingerprint == client.fingerprint
    assert facts.subject == "CN=NVIDIA GameStream Client"


@given(cut=st.integers(0, len(DER) - 1))
def test_a_certificate_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(ProtocolError):
        read_certificate(DER[:cut])


@given(at=st.integers(0, len(DER) - 1), value=st.integers(0, 255))
def test_a_changed_byte_is_read_or_refused_but_never_crashes(at: int, value: int) -> None:
    damaged = bytearray(DER)
    damaged[at] = value

    try:
        facts = read_certificate(bytes(damaged))
    except ProtocolError:
        return

    assert facts.fingerprint != "" and len(facts.subject) <= 256


@given(st.binary(max_size=400))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_certificate(noise)


@pytest.mark.parametrize(
    "der",
    [
        DER + b"\0",
        b"\x30\x80" + DER[4:],
        b"\x30\x84\xff\xff\xff\xff" + DER[4:],
        DER.replace(b"240101000000Z", b"241301000000Z", 1),
        DER.replace(b"240101000000Z", b"2401010000000", 1),
        b"\x30" * MAX_DER_BYTES,
        bytes(MAX_DER_BYTES + 1),
    ],
    ids=["surplus", "indefinite", "4 GiB", "month 13", "no zone", "nested", "too long"],
)
def test_malformed_certificates_are_refused(der: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_certificate(der)


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"hello",
        b"-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n",
        VECTOR["client_cert_pem"].encode() * 2,
        VECTOR["client_cert_pem"].encode() + b" " * MAX_PEM_BYTES,
        b"x" * 1_000_000,
    ],
    ids=["empty", "text", "bad base64", "two", "padded", "1 MB"],
)
def test_what_is_not_one_pem_certificate_is_refused(pem: bytes) -> None:
    with pytest.raises(ProtocolError):
        der_from_pem(pem)
