"""An open device file, and what we do with one."""

import errno
import fcntl
import os
from typing import Protocol

from punktfunk.plugin import DriverUnavailable

UINPUT = "/dev/uinput"
UHID = "/dev/uhid"


class Node(Protocol):
    """The four calls that a virtual device is made of, so that a test can write them down."""

    def fileno(self) -> int: ...

    def read(self, size: int) -> bytes:
        """Nothing when nothing waits."""

    def write(self, data: bytes) -> None: ...

    def ioctl(self, request: int, argument: int | bytes = 0) -> bytes: ...

    def close(self) -> None: ...


class DeviceNode:
    """A `Node` of the kernel's.

    Raises:
        DriverUnavailable: it is not there, or not ours to open.
    """

    def __init__(self, path: str) -> None:
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise DriverUnavailable("uinput", f"cannot open {path}: {error.strerror}") from error

    def fileno(self) -> int:
        return self._fd

    def read(self, size: int) -> bytes:
        try:
            return os.read(self._fd, size)
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno == errno.ENODEV:  # the device was taken away in the meantime
                return b""
            raise

    def write(self, data: bytes) -> None:
        os.write(self._fd, data)

    def ioctl(self, request: int, argument: int | bytes = 0) -> bytes:
        answer = fcntl.ioctl(self._fd, request, argument)
        return answer if isinstance(answer, bytes) else b""

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
