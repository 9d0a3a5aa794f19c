"""Reading numbers out of untrusted bytes, with every length checked."""

import struct

from punktfunk.errors import ProtocolError

_F32_LE = struct.Struct("<f")


class Reader:
    """A cursor over one message.

    Every method raises `ProtocolError` when the bytes run out, so a parser written with
    it cannot read past the end.
    """

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = memoryview(data)
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count < 0 or count > self.left:
            raise ProtocolError("message is shorter than it says", wanted=count, left=self.left)
        start = self._at
        self._at += count
        return bytes(self._data[start : self._at])

    def skip(self, count: int) -> None:
        self.take(count)

    def rest(self) -> bytes:
        return self.take(self.left)

    def u8(self) -> int:
        return self.take(1)[0]

    def u16_le(self) -> int:
        return int.from_bytes(self.take(2), "little")

    def u16_be(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def i16_le(self) -> int:
        return int.from_bytes(self.take(2), "little", signed=True)

    def i16_be(self) -> int:
        return int.from_bytes(self.take(2), "big", signed=True)

    def u32_le(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def u32_be(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def f32_le(self) -> float:
        value: float = _F32_LE.unpack(self.take(4))[0]
        return value
