"""The private place a session runs in, as drivers see it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from punktfunk.model.plugins import Effect


class SeatProcess(Protocol):
    """A program started on the seat."""

    @property
    def pid(self) -> int: ...

    def exit_status(self) -> int | None:
        """None while it runs; negative for a signal."""

    def stop(self, timeout_s: float = 2.0) -> None:
        """Terminate it and its process group, kill what stays, reap it."""


class Seat(Protocol):
    """Own runtime folder, own environment, own process tree; gone when the session ends.

    Everything a driver starts or changes outside its own process goes through the seat,
    which writes it to the undo journal first.
    """

    @property
    def name(self) -> str:
        """Unique for this session, `[a-z0-9-]` only; use it in names others can see."""

    @property
    def client(self) -> str:
        """The device the session was started for, the same name each time; empty if unknown."""

    @property
    def runtime_dir(self) -> Path:
        """XDG_RUNTIME_DIR of the session, mode 0700, with a short path."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What programs on this seat start with; an allow-list, never the host's own."""

    @property
    def host_environment(self) -> Mapping[str, str]:
        """The session variables of the user who runs the host, to reach *their* servers."""

    def spawn(
        self,
        name: str,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
    ) -> SeatProcess:
        """Start a program in its own process group, its output in the seat's log folder.

        Args:
            name: For the log file and for messages.
            argv: Never a shell string.
            environment: Added to `self.environment`.

        Raises:
            DriverFailed: it could not be started.
        """

    def recall(self, name: str) -> Mapping[str, str]:
        """What a driver remembered in an earlier session; empty when nothing.

        Args:
            name: The driver's own, such as `portal`.

        Raises:
            PunktfunkError: the file cannot be used; the message names it.
        """

    def remember(self, name: str, values: Mapping[str, str]) -> None:
        """Keep something for later sessions, for this user's eyes only; `{}` forgets it.

        Raises:
            PunktfunkError, OSError: it cannot be kept.
        """

    def log_tail(self, name: str, lines: int = 5) -> str:
        """The last lines that `name` printed, for an error message."""

    def record(self, effect: Effect) -> None:
        """Write an effect to the journal. Call it *before* you cause the effect."""

    def forget(self, effect: Effect) -> None:
        """The effect was reversed; the journal need not remember it."""
