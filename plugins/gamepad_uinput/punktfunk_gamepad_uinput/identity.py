"""Who a pad is: the same for the same pad of the same client, whatever session it is in."""

import hashlib

_LOCAL, _GROUP = 0x02, 0x01


def address_of(owner: str, number: int) -> bytes:
    """Six bytes as a MAC address that no manufacturer gave away.

    Args:
        owner: The client's fingerprint; where there is none, the seat's name.
        number: The client's pad, 0 to 15.
    """
    digest = hashlib.sha256(f"pad {number} of {owner}".encode()).digest()
    return bytes([digest[0] & ~_GROUP | _LOCAL]) + digest[1:6]


def in_words(address: bytes) -> str:
    """Such as 02:1f:30:4d:5e:6f."""
    return address.hex(":")


def phys_of(seat: str, number: int) -> str:
    """How the udev rules know our devices, and a person whose they are."""
    return f"punktfunk/{seat}/pad{number}"
