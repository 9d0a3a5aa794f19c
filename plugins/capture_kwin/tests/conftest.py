"""A seat on a temporary folder, a KWin on the seat, and the guinea-pig client on the KWin."""

import os
from collections.abc import Callable, Iterator

import pytest
from desk import Client, Desk, need_programs, need_sweep, wait_until
from punktfunk_capture_kwin.capture import KwinCapture
from punktfunk_capture_kwin.compositor import KwinCompositor
from punktfunk_capture_kwin.input import KwinInput
from punktfunk_capture_kwin.probe import own_availability, render_nodes
from punktfunk_capture_kwin.wayland import Connection
from punktfunk_capture_kwin.windows import Windows

from punktfunk.testing import FakeSeat


class KwinDesk(Desk):
    capture_driver, input_driver = KwinCapture, KwinInput

    def wait_for_window(self) -> None:
        """Wait until KWin says that a window has the keyboard."""
        connection = Connection(self.display.environment)
        windows = Windows(connection)

        def has_keyboard() -> bool:
            connection.roundtrip()
            return windows.front is not None and bool(windows.front.state & 1)

        try:
            wait_until(has_keyboard, "a window")
        finally:
            connection.close()

    def start_client(self, drawing: str, name: str = "client") -> Client:
        client = super().start_client(drawing, name)
        client.wait_for("focus")
        return client


@pytest.fixture(scope="session")
def programs() -> Callable[..., None]:
    """Skip without the programs a test needs, and when nobody asked for the slower sweep."""

    def need(*names: str) -> None:
        need_sweep("a real KWin")
        need_programs(*names)
        found = own_availability("kwin_wayland", os.environ["PATH"], render_nodes())
        if not found.available:
            pytest.skip(found.reason)

    return need


@pytest.fixture
def seat() -> Iterator[FakeSeat]:
    with FakeSeat() as seat:
        yield seat


@pytest.fixture
def make_desk(seat: FakeSeat, programs: Callable[..., None]) -> Iterator[Callable[..., KwinDesk]]:
    programs("kwin_wayland", "pipewire", "wireplumber")
    desks: list[KwinDesk] = []

    def make(
        width: int = 640, height: int = 360, rate: int = 60_000, **settings: object
    ) -> KwinDesk:
        compositor = KwinCompositor({"xwayland": False, **settings})
        desks.append(KwinDesk.open(seat, compositor, (width, height, rate)))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


@pytest.fixture
def wait() -> Callable[..., None]:
    return wait_until
