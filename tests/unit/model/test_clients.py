import pytest

from punktfunk.errors import ProtocolError
from punktfunk.model.clients import as_fingerprint, fingerprint_of


def test_a_fingerprint_is_read_back_in_any_case() -> None:
    fingerprint = fingerprint_of(b"certificate")

    assert as_fingerprint(fingerprint.upper()) == fingerprint


@pytest.mark.parametrize("text", ["", "ab", "g" * 64, "a" * 65, "../" + "a" * 61, "a" * 63 + "\n"])
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError):
        as_fingerprint(text)
