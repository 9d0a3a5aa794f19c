"""Moonlight's half of pairing, and certificates as Moonlight makes them."""

import os
import warnings
from hashlib import sha256

import attrs
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from OpenSSL import crypto

SUBJECT = "NVIDIA GameStream Client"


@attrs.frozen(eq=False)
class MoonlightClient:
    """A client's key and certificate, and what it computes while pairing."""

    key: rsa.RSAPrivateKey
    certificate_pem: bytes
    certificate_der: bytes

    @property
    def fingerprint(self) -> str:
        return sha256(self.certificate_der).hexdigest()

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def pairing(self, pin: str) -> "MoonlightPairing":
        return MoonlightPairing(self, pin, os.urandom(16))


@attrs.define(eq=False)
class MoonlightPairing:
    """One attempt. `host_signature` is that of the certificate received in stage 1."""

    client: MoonlightClient
    pin: str
    salt: bytes
    challenge: bytes = attrs.field(factory=lambda: os.urandom(16))
    secret: bytes = attrs.field(factory=lambda: os.urandom(16))
    server_hash: bytes = b""

    @property
    def cipher(self) -> Cipher:
        key = sha256(self.salt + self.pin.encode()).digest()[:16]
        return Cipher(AES128(key), ECB())

    def stage2(self) -> bytes:
        return self.cipher.encryptor().update(self.challenge)

    def stage3(self, challenge_response: bytes) -> bytes:
        plain = self.cipher.decryptor().update(challenge_response)
        self.server_hash, server_challenge = plain[:32], plain[32:]
        signature = self.client.certificate_der[-256:]
        proof = sha256(server_challenge + signature + self.secret).digest()
        return self.cipher.encryptor().update(proof)

    def stage4(self) -> bytes:
        return self.secret + self.client.key.sign(self.secret, PKCS1v15(), SHA256())

    def host_knew_the_pin(self, pairing_secret: bytes, host_signature: bytes) -> bool:
        expected = sha256(self.challenge + host_signature + pairing_secret[:16]).digest()
        return expected == self.server_hash


def _make(
    key: rsa.RSAPrivateKey | None = None,
    *,
    begins_s: int = -86_400,
    ends_s: int = 20 * 365 * 86_400,
) -> MoonlightClient:
    """Subject, serial number 0 and absent extensions as Moonlight has them."""
    key = key or rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    with warnings.catch_warnings():  # the only tool that still makes serial number 0
        warnings.simplefilter("ignore")
        certificate = crypto.X509()
        certificate.set_version(2)
        certificate.set_serial_number(0)
        certificate.get_subject().CN = SUBJECT
        certificate.set_issuer(certificate.get_subject())
        certificate.gmtime_adj_notBefore(begins_s)
        certificate.gmtime_adj_notAfter(ends_s)
        certificate.set_pubkey(crypto.PKey.from_cryptography_key(key))
        certificate.sign(crypto.PKey.from_cryptography_key(key), "sha256")
        return MoonlightClient(
            key,
            crypto.dump_certificate(crypto.FILETYPE_PEM, certificate),
            crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate),
        )


@pytest.fixture(scope="session")
def make_moonlight():
    """Makes clients: `make_moonlight(key=None, begins_s=, ends_s=)`."""
    return _make


@pytest.fixture(scope="session")
def moonlights() -> tuple[MoonlightClient, ...]:
    """Four clients that differ in nothing but their keys."""
    return tuple(_make() for _ in range(4))
