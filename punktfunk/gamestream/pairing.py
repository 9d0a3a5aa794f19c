"""Pairing: one attempt as a state machine (docs/protocol/gamestream.md, section 2.5).

The phases come in one order. Anything else ends the attempt, and an ended attempt is never
revived: a client that wants another try starts over and its person types a new PIN.
"""

import hmac
import secrets
from collections.abc import Callable
from enum import StrEnum
from hashlib import sha256
from typing import NoReturn

import attrs
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from punktfunk.errors import ProtocolError
from punktfunk.gamestream.certificates import CertificateFacts, der_from_pem, read_certificate

SALT_BYTES = 16
CHALLENGE_BYTES = 16
HASH_BYTES = 32
SECRET_BYTES = 16
MAX_SIGNATURE_BYTES = 512
MIN_RSA_BITS, MAX_RSA_BITS = 2_048, 4_096
MAX_PIN_DIGITS = 16
MAX_NAME_CHARS = 64
MAX_CLIENT_ID_CHARS = 64

_NAMELESS = "roth"  # what Qt, Android and Embedded send in the place of a name

RandomBytes = Callable[[int], bytes]


class Phase(StrEnum):
    """What the attempt waits for."""

    PIN = "pin"
    CHALLENGE = "challenge"
    RESPONSE = "response"
    SECRET = "secret"  # noqa: S105 - the name of a phase
    DONE = "done"
    FAILED = "failed"


@attrs.frozen(kw_only=True)
class HostCredential:
    """The host's half of a pairing.

    Attributes:
        certificate_pem: What the client pins; its DER is the TLS certificate, byte by byte.
        signature: The signature field of that certificate.
        sign: RSA PKCS#1 v1.5 with SHA-256 under the host's key.
    """

    certificate_pem: bytes = attrs.field(repr=False)
    signature: bytes = attrs.field(repr=False)
    sign: Callable[[bytes], bytes] = attrs.field(repr=False)


@attrs.frozen
class AttemptKey:
    """Finds a client's attempt again. Never an identity: every Android has the same id."""

    client_id: str
    address: str

    @classmethod
    def of(cls, client_id: str, address: str) -> "AttemptKey":
        """Raises ProtocolError for a `uniqueid` that is too long to keep."""
        if len(client_id) > MAX_CLIENT_ID_CHARS:
            raise ProtocolError("uniqueid is too long", length=len(client_id))
        return cls(client_id.lower(), address)


@attrs.frozen(kw_only=True)
class PairingRequest:
    """The first stage: who asks, with which certificate."""

    client_name: str
    salt: bytes = attrs.field(repr=False)
    certificate: CertificateFacts
    public_key: RSAPublicKey = attrs.field(repr=False)


def read_request(device_name: str, salt: bytes, certificate_pem: bytes) -> PairingRequest:
    """Check what `getservercert` brings.

    Raises:
        ProtocolError: a length, the certificate or its key is not what a client sends.
    """
    if len(salt) != SALT_BYTES:
        raise ProtocolError("the salt is 16 bytes", length=len(salt))
    certificate = read_certificate(der_from_pem(certificate_pem))
    try:
        public_key = load_der_public_key(certificate.public_key_der)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ProtocolError("the certificate's key cannot be read") from error
    if not isinstance(public_key, RSAPublicKey):
        raise ProtocolError("the certificate's key is not RSA")
    if not MIN_RSA_BITS <= public_key.key_size <= MAX_RSA_BITS:
        raise ProtocolError("the certificate's key has 2048 to 4096 bits", bits=public_key.key_size)
    return PairingRequest(
        client_name=shown_name(device_name),
        salt=salt,
        certificate=certificate,
        public_key=public_key,
    )


def shown_name(device_name: str) -> str:
    """A name that is safe to print: no control or direction characters, at most 64 long."""
    name = "".join(c for c in device_name if c.isprintable()).strip()[:MAX_NAME_CHARS]
    return name if name and name != _NAMELESS else "Moonlight"


def check_pin(pin: str) -> None:
    """Raise ProtocolError unless `pin` is 1 to 16 ASCII digits. The PIN is not repeated."""
    if not (pin.isascii() and pin.isdigit() and len(pin) <= MAX_PIN_DIGITS):
        raise ProtocolError("a PIN is 1 to 16 digits")


class PairingAttempt:
    """One client, one try.

    Every stage raises `ProtocolError` and ends the attempt when it comes in the wrong phase
    or with a wrong length. Times are monotonic nanoseconds.
    """

    def __init__(
        self,
        attempt_id: int,
        key: AttemptKey,
        request: PairingRequest,
        host: HostCredential,
        *,
        created_ns: int,
        expires_ns: int,
        random_bytes: RandomBytes = secrets.token_bytes,
    ) -> None:
        self.id = attempt_id
        self.key = key
        self.client_name = request.client_name
        self.created_ns = created_ns
        self.expires_ns = expires_ns
        self.phase = Phase.PIN
        self._request = request
        self._host = host
        self._random_bytes = random_bytes
        self._aes_key = b""
        self._secret = b""
        self._challenge = b""
        self._client_hash = b""

    def __repr__(self) -> str:
        return f"PairingAttempt(id={self.id}, client_name={self.client_name!r}, phase={self.phase})"

    @property
    def ended(self) -> bool:
        return self.phase in (Phase.DONE, Phase.FAILED)

    def enter_pin(self, pin: str) -> None:
        """Fix the key. One PIN per attempt: whether it was right shows only at the end."""
        check_pin(pin)
        self._expect(Phase.PIN)
        self._aes_key = sha256(self._request.salt + pin.encode("ascii")).digest()[:16]
        self.phase = Phase.CHALLENGE

    def answer_challenge(self, encrypted: bytes) -> bytes:
        """Stage 2. Returns the 48 bytes of `challengeresponse`."""
        self._expect(Phase.CHALLENGE, encrypted, CHALLENGE_BYTES)
        self._secret = self._random_bytes(SECRET_BYTES)
        self._challenge = self._random_bytes(CHALLENGE_BYTES)
        proof = sha256(self._decrypt(encrypted) + self._host.signature + self._secret).digest()
        self.phase = Phase.RESPONSE
        return self._encrypt(proof + self._challenge)

    def answer_response(self, encrypted: bytes) -> bytes:
        """Stage 3. Returns `pairingsecret`: our secret and our signature of it."""
        self._expect(Phase.RESPONSE, encrypted, HASH_BYTES)
        self._client_hash = self._decrypt(encrypted)
        self.phase = Phase.SECRET
        return self._secret + self._host.sign(self._secret)

    def judge_secret(self, secret_and_signature: bytes) -> CertificateFacts | None:
        """Stage 4. Returns the certificate that may now be trusted, None if the PIN was wrong.

        Both checks are always made, so that time does not say which one failed.
        """
        self._expect(Phase.SECRET)
        length = len(secret_and_signature)
        if not SECRET_BYTES < length <= SECRET_BYTES + MAX_SIGNATURE_BYTES:
            self._fail("the client's secret has a wrong length", length=length)
        secret = secret_and_signature[:SECRET_BYTES]
        certificate = self._request.certificate
        expected = sha256(self._challenge + certificate.signature + secret).digest()
        knows_pin = hmac.compare_digest(expected, self._client_hash)
        owns_key = self._verifies(secret, secret_and_signature[SECRET_BYTES:])
        self._end(Phase.DONE if knows_pin and owns_key else Phase.FAILED)
        return certificate if self.phase is Phase.DONE else None

    def end(self) -> None:
        """Give up, if it has not ended anyway."""
        if not self.ended:
            self._end(Phase.FAILED)

    def _expect(self, phase: Phase, data: bytes = b"", length: int = 0) -> None:
        if self.phase is not phase:
            self._fail("pairing stage out of order", phase=self.phase.value)
        if len(data) != length:
            self._fail("pairing stage has a wrong length", phase=phase.value, length=len(data))

    def _fail(self, message: str, **fields: object) -> NoReturn:
        self.end()
        raise ProtocolError(message, **fields)

    def _end(self, phase: Phase) -> None:
        self.phase = phase
        self._aes_key = self._secret = self._challenge = self._client_hash = b""

    def _verifies(self, message: bytes, signature: bytes) -> bool:
        try:
            self._request.public_key.verify(signature, message, PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True

    # Single blocks of random data under a key used once: the protocol asks for ECB.
    def _encrypt(self, data: bytes) -> bytes:
        encryptor = Cipher(AES128(self._aes_key), ECB()).encryptor()  # noqa: S305
        return encryptor.update(data) + encryptor.finalize()

    def _decrypt(self, data: bytes) -> bytes:
        decryptor = Cipher(AES128(self._aes_key), ECB()).decryptor()  # noqa: S305
        return decryptor.update(data) + decryptor.finalize()
