import asyncio
import errno
import logging
import socket

import pytest
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from punktfunk.net import mdns
from punktfunk.net.mdns import (
    SERVICE_TYPE,
    Announcement,
    Announcer,
    announced_addresses,
    label,
    service_info,
)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("tower", "tower"),
        ("Anna's PC (2)", "Anna-s-PC-2"),
        ("Büro.example", "B-ro-example"),
        ("", "punktfunk"),
        ("...", "punktfunk"),
        ("x" * 100, "x" * 63),
    ],
)
def test_names_become_labels(name: str, safe: str) -> None:
    assert label(name) == safe


def test_a_long_host_name_keeps_its_suffix() -> None:
    assert label("h" * 100, "-stream") == "h" * 56 + "-stream"


def test_the_txt_record_is_one_empty_string() -> None:
    info = service_info(
        Announcement(
            name="My PC", hostname="tower.example.org", port=47989, addresses=("192.0.2.1",)
        )
    )

    assert info.dns_text().text == b"\x00"
    assert info.name == "My-PC._nvstream._tcp.local."
    assert info.server == "tower-stream.local."
    assert info.port == 47989


MACHINE = ("127.0.0.1", "192.168.1.5", "::1", "2001:db8::5", "fe80::5")


@pytest.mark.parametrize(
    ("listening", "announced"),
    [
        (["127.0.0.1"], ()),
        (["::1", "127.0.0.1"], ()),
        (["192.168.1.5"], ("192.168.1.5",)),
        (["0.0.0.0"], ("192.168.1.5",)),
        (["::"], ("2001:db8::5",)),
        (["0.0.0.0", "::"], ("192.168.1.5", "2001:db8::5")),
        (["0.0.0.0", "192.168.1.5"], ("192.168.1.5",)),
        (["not an address"], ()),
        ([], ()),
    ],
)
def test_only_what_can_be_reached_is_announced(listening, announced) -> None:
    assert announced_addresses(listening, MACHINE) == announced


async def test_on_loopback_nothing_is_announced() -> None:
    announcer = Announcer()

    await announcer.start("tower", 47989, ["127.0.0.1"])

    assert not announcer.running
    await announcer.stop()


async def test_trouble_is_a_warning(monkeypatch, caplog) -> None:
    def no_multicast(**_how):
        raise OSError(errno.ENODEV, "no such device")

    monkeypatch.setattr(mdns, "AsyncZeroconf", no_multicast)
    announcer = Announcer()

    await announcer.announce(
        Announcement(name="tower", hostname="tower", port=1, addresses=("192.0.2.1",))
    )

    assert not announcer.running
    assert [r.levelno for r in caplog.records] == [logging.WARNING]


async def test_a_client_finds_the_host() -> None:
    """Pinned to loopback: nothing of it reaches a network."""
    announcer = Announcer()
    try:
        finder = AsyncZeroconf(interfaces=["127.0.0.1"])
    except OSError:
        pytest.skip("no multicast on loopback here")
    try:
        async with asyncio.timeout(20):
            await announcer.announce(
                Announcement(name="tower", hostname="tower", port=47989, addresses=("127.0.0.1",))
            )
            info = AsyncServiceInfo(SERVICE_TYPE, f"tower.{SERVICE_TYPE}")
            found = await info.async_request(finder.zeroconf, 5_000)
    finally:
        await announcer.stop()
        await finder.async_close()

    assert found
    assert info.port == 47989
    assert info.addresses == [socket.inet_aton("127.0.0.1")]
    assert info.server == "tower-stream.local."
