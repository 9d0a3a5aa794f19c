"""What the driver does with a pad, whatever it is made of."""

from abc import ABC, abstractmethod

from punktfunk_gamepad_uinput.held import Held


class Pad(ABC):
    """One pad of the client's as a device of the kernel's.

    `show`, `greet` and `close` are called by one thread, `on_readable` and `on_time` by
    another; each pad keeps the two apart itself.
    """

    @abstractmethod
    def fileno(self) -> int: ...

    @abstractmethod
    def show(self, held: Held) -> None:
        """Tell the kernel what the hands do."""

    @abstractmethod
    def greet(self) -> None:
        """The client is new, or back: tell it what its pad shall do now."""

    @abstractmethod
    def on_readable(self) -> None:
        """The kernel, or a program through it, wants something."""

    @abstractmethod
    def on_time(self, now_ns: int) -> int | None:
        """Do what is due, and say when to come again; None when not at all."""

    @abstractmethod
    def close(self) -> None:
        """Unplug it. Safe to call twice."""
