"""Which addresses a webhook may be sent to."""

from collections.abc import Sequence

import pytest

from punktfunk.automation.targets import addresses_of, is_public, resolve, target_of
from punktfunk.errors import Refused

INTO_THE_MACHINE = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1"),
    *("172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.1"),
    *("198.18.0.1", "224.0.0.251", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1"),
    *("fe80::1", "fe80::1%lo", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "ff0e::1"),
    *("64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:7f00:1::", "100::1"),
    *("2001:db8::1", "4000::1"),
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450:4001::1"]


def answering(*addresses: str):
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


@pytest.mark.parametrize("address", INTO_THE_MACHINE)
async def test_threat_22_an_address_that_leads_back_into_the_machine_is_refused(
    address: str,
) -> None:
    target = target_of("https://hooks.example/x")

    assert not is_public(address)
    with pytest.raises(Refused, match="allow_private"):
        await addresses_of(target, answering(address), allow_private=False)
    assert await addresses_of(target, answering(address), allow_private=True) == [address]


@pytest.mark.parametrize("address", PUBLIC)
async def test_an_address_of_the_open_internet_is_not(address: str) -> None:
    target = target_of("https://hooks.example/x")

    assert await addresses_of(target, answering(address), allow_private=False) == [address]


async def test_of_several_addresses_only_the_public_ones_are_left() -> None:
    found = await addresses_of(
        target_of("https://hooks.example/x"), answering("127.0.0.1", "1.1.1.1"), allow_private=False
    )

    assert found == ["1.1.1.1"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "0177.0.0.1", "[::1]"]
)
async def test_threat_22_odd_spellings_of_loopback_are_looked_up_before_they_are_judged(
    host: str,
) -> None:
    with pytest.raises((Refused, OSError)):
        await addresses_of(target_of(f"http://{host}:1/"), resolve, allow_private=False)


@pytest.mark.parametrize(
    ("url", "port", "path", "header"),
    [
        ("https://a.example", 443, "/", "a.example"),
        ("http://a.example:80/x/?y=1", 80, "/x/?y=1", "a.example"),
        ("https://A.example:8443?y", 8443, "/?y", "a.example:8443"),
        ("http://[::1]:8123/api/webhook/abc", 8123, "/api/webhook/abc", "[::1]:8123"),
    ],
)
def test_a_url_is_taken_apart(url: str, port: int, path: str, header: str) -> None:
    target = target_of(url)

    assert (target.port, target.path, target.host_header) == (port, path, header)
    assert path == "/" or path not in repr(target)
