"""Outputs of a compositor that somebody else runs: looking, making, removing."""

from typing import Protocol

import attrs

from punktfunk.plugin import VideoMode

WORKSPACE = "punktfunk-"
"""Workspaces, and outputs where they can be named, begin with this."""


@attrs.frozen(kw_only=True)
class Screen:
    """An output, as the compositor's control socket shows it.

    Attributes:
        vacant: It is headless, shows no window, and no session has claimed it.
    """

    name: str
    width_px: int
    height_px: int
    focused: bool
    vacant: bool = False


class Control(Protocol):
    """What can be told to a compositor about its outputs.

    Every method raises `DriverFailed` when it does not answer or says no.
    """

    @property
    def makes_outputs(self) -> bool:
        """It can make outputs and take them away again."""

    def screens(self) -> list[Screen]: ...

    def planned_name(self, wish: str) -> str:
        """What `create` will call it; empty where the compositor chooses."""

    def create(self, wish: str) -> str:
        """Make an output; return its name. Only one process may do this at a time."""

    def set_mode(self, name: str, mode: VideoMode) -> None:
        """The compositor places the output to the right of all others, which stay put.

        Left of them would have negative coordinates, where X11 programs are lost; with a
        place of its own it would push those away that have none.
        """

    def show(self, name: str, workspace: str) -> None:
        """Give the output the focus, with an empty workspace of that name."""

    def focus(self, name: str) -> None: ...

    def remove(self, name: str) -> None: ...

    def close(self) -> None: ...
