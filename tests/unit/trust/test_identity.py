import stat

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from punktfunk.errors import ConfigError, StateDamaged
from punktfunk.gamestream.certificates import der_from_pem
from punktfunk.trust.files import backup_of
from punktfunk.trust.identity import IDENTITY_FILE, UNIQUE_ID_FILE, load_or_make_identity


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return load_or_make_identity(tmp_path_factory.mktemp("identity"))


@pytest.fixture
def folder(made, tmp_path):
    """A copy of a made identity, to be broken."""
    for source in made.path.parent.iterdir():
        copy = tmp_path / source.name
        copy.write_bytes(source.read_bytes())
        copy.chmod(0o600)
    return tmp_path


def test_the_identity_is_made_once(made) -> None:
    again = load_or_make_identity(made.path.parent)

    assert again.certificate_pem == made.certificate_pem
    assert again.unique_id == made.unique_id


def test_the_certificate_is_one_that_clients_can_pin(made) -> None:
    facts = made.certificate

    assert made.private_key.key_size == 2048
    assert len(facts.signature) == 256
    assert facts.not_after_unix - facts.not_before_unix > 10 * 365 * 86_400
    assert der_from_pem(made.credential.certificate_pem) == facts.der
    made.private_key.public_key().verify(made.credential.sign(b"x"), b"x", PKCS1v15(), SHA256())


def test_the_key_is_private_and_not_in_a_repr(made) -> None:
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert "PRIVATE" not in repr(made) + repr(made.credential)


@pytest.mark.parametrize("name", [IDENTITY_FILE, UNIQUE_ID_FILE])
@pytest.mark.parametrize("content", [None, b"", b"junk\n"])
def test_a_damaged_or_missing_file_names_its_backup(folder, name, content) -> None:
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)

    with pytest.raises(StateDamaged, match=name) as damaged:
        load_or_make_identity(folder)

    assert damaged.value.fields["backup"] == str(backup_of(folder / name))
    assert backup_of(folder / name).exists()


def test_key_and_certificate_of_different_hosts_are_refused(folder, tmp_path_factory) -> None:
    other = load_or_make_identity(tmp_path_factory.mktemp("other"))
    path = folder / IDENTITY_FILE
    path.write_bytes(path.read_bytes().partition(b"-----BEGIN CERT")[0] + other.certificate_pem)

    with pytest.raises(StateDamaged, match="belong together"):
        load_or_make_identity(folder)


def test_a_start_cut_off_before_the_key_was_written_is_taken_up_again(folder) -> None:
    unique_id = (folder / UNIQUE_ID_FILE).read_text().strip()
    (folder / IDENTITY_FILE).unlink()
    backup_of(folder / IDENTITY_FILE).unlink()

    assert load_or_make_identity(folder).unique_id == unique_id


def test_a_key_that_others_can_read_is_refused(folder) -> None:
    (folder / IDENTITY_FILE).chmod(0o644)

    with pytest.raises(ConfigError, match="chmod 600"):
        load_or_make_identity(folder)
