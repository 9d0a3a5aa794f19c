"""The console on a phone."""

from typing import Any

import pytest

from punktfunk.cli.phone import address_for_phones, code_picture
from punktfunk.errors import ConfigError

HOST = {"local_ip": "192.168.1.20", "ports": {"mgmt": 47_990}}


def settings(bind: str = "127.0.0.1:47990", public_url: str = "") -> dict[str, Any]:
    return {"mgmt.bind": bind, "mgmt.public_url": public_url}


@pytest.mark.parametrize(
    ("known", "address"),
    [
        (settings("0.0.0.0:47990"), "https://192.168.1.20:47990"),
        (settings("192.168.1.21:0"), "https://192.168.1.21:47990"),
        (settings("[fd00::5]:47990"), "https://[fd00::5]:47990"),
        (settings(public_url="https://home.example/pf/"), "https://home.example/pf"),
    ],
)
def test_the_address_is_one_that_another_device_reaches(
    known: dict[str, Any], address: str
) -> None:
    assert address_for_phones(known, HOST) == address


def test_a_host_that_only_this_machine_reaches_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match="--mgmt-tls"):
        address_for_phones(settings(), HOST)


def test_the_picture_fits_a_terminal() -> None:
    lines = code_picture("https://[fd00::1234:5678]:47990/login#code=" + "x" * 43).splitlines()

    assert len(lines) < 40
    assert max(map(len, lines)) <= 80
