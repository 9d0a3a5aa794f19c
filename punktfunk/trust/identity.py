"""The host's own certificate, key and number: made once, kept for ever.

Clients pin the certificate byte by byte. Another one means "pair again" for all of them.
"""

import logging
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from punktfunk.errors import ProtocolError
from punktfunk.gamestream.certificates import CertificateFacts, der_from_pem, read_certificate
from punktfunk.gamestream.pairing import HostCredential
from punktfunk.trust.files import (
    backup_of,
    damaged,
    make_private_folder,
    read_private,
    write_atomically,
)

IDENTITY_FILE = "identity.pem"
UNIQUE_ID_FILE = "uniqueid"
VALIDITY_DAYS = 20 * 365

_MAX_FILE_BYTES = 65_536
_CERTIFICATE_BEGIN = b"-----BEGIN CERTIFICATE-----"

log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True, eq=False)
class HostIdentity:
    """Who we are.

    Attributes:
        unique_id: A UUID; clients know this host by it.
        certificate_pem: Exactly one certificate.
        path: The file with key and certificate, for servers that want a file name.
    """

    unique_id: str
    certificate_pem: bytes = attrs.field(repr=False)
    certificate: CertificateFacts
    private_key: rsa.RSAPrivateKey = attrs.field(repr=False)
    path: Path

    @property
    def credential(self) -> HostCredential:
        """What pairing needs of us."""
        return HostCredential(
            certificate_pem=self.certificate_pem,
            signature=self.certificate.signature,
            sign=lambda message: self.private_key.sign(message, PKCS1v15(), SHA256()),
        )


def load_or_make_identity(folder: Path) -> HostIdentity:
    """Read the identity from its folder; the first time, make it.

    Raises:
        StateDamaged: a file is unusable, or missing although it was once there.
        ConfigError: the key can be read by others, or the folder cannot be used.
    """
    make_private_folder(folder)
    path = folder / IDENTITY_FILE
    unique_id = _load_or_make_unique_id(folder / UNIQUE_ID_FILE, identity=path)
    if not path.exists():
        if backup_of(path).exists():
            raise damaged(path, "it is missing")
        log.info("making this host's certificate", extra={"path": str(path)})
        write_atomically(path, _new_key_and_certificate())
    pem = read_private(path, _MAX_FILE_BYTES)
    identity = _parse(path, pem, unique_id)
    if not backup_of(path).exists():
        write_atomically(backup_of(path), pem)
    return identity


def _load_or_make_unique_id(path: Path, identity: Path) -> str:
    try:
        text = read_private(path, _MAX_FILE_BYTES).decode("ascii", errors="replace").strip()
        return str(uuid.UUID(text))
    except FileNotFoundError:
        if identity.exists():  # the number is written first, so it was there once
            raise damaged(path, "it is missing") from None
    except ValueError:
        raise damaged(path, "it holds no UUID") from None
    unique_id = str(uuid.uuid4())
    for file in (path, backup_of(path)):
        write_atomically(file, unique_id.encode() + b"\n")
    return unique_id


def _parse(path: Path, pem: bytes, unique_id: str) -> HostIdentity:
    key_pem, begin, rest = pem.partition(_CERTIFICATE_BEGIN)
    certificate_pem = begin + rest
    try:
        private_key = load_pem_private_key(key_pem, password=None)
        certificate = read_certificate(der_from_pem(certificate_pem))
        public_key = x509.load_der_x509_certificate(certificate.der).public_key()
    except (ValueError, TypeError, ProtocolError):
        raise damaged(path, "it does not hold a key and a certificate") from None
    if not isinstance(private_key, rsa.RSAPrivateKey):
        raise damaged(path, "its key is not RSA")
    if public_key != private_key.public_key():
        raise damaged(path, "its key and its certificate do not belong together")
    return HostIdentity(
        unique_id=unique_id,
        certificate_pem=certificate_pem,
        certificate=certificate,
        private_key=private_key,
        path=path,
    )


def _new_key_and_certificate() -> bytes:
    private_key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "punktfunk host")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clients' clocks may be behind
        .not_valid_after(now + timedelta(days=VALIDITY_DAYS))
        .sign(private_key, SHA256())
    )
    key_pem = private_key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, encryption_algorithm=NoEncryption()
    )
    return key_pem + certificate.public_bytes(Encoding.PEM)
