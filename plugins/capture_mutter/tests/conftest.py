"""A seat on a temporary folder, a Mutter on the seat, and the guinea-pig client on the Mutter."""

from collections.abc import Callable, Iterator

import pytest
from desk import Client, Desk, need_programs, need_sweep, wait_until
from punktfunk_capture_mutter.capture import MutterCapture
from punktfunk_capture_mutter.compositor import MutterCompositor
from punktfunk_capture_mutter.input import MutterInput
from punktfunk_capture_mutter.mutter import screens

from punktfunk.plugin import Bus, VideoMode
from punktfunk.testing import FakeSeat


class MutterDesk(Desk):
    capture_driver, input_driver = MutterCapture, MutterInput

    def screen(self) -> VideoMode:
        """What Mutter says of the screen."""
        bus = Bus(f"unix:path={self.seat.runtime_dir}/mutter/bus")
        try:
            return screens(bus)[self.display.output]
        finally:
            bus.close()

    def start_client(self, drawing: str, name: str = "client") -> Client:
        client = super().start_client(drawing, name)
        client.wait_for("focus")
        return client


@pytest.fixture(scope="session")
def programs() -> Callable[..., None]:
    """Skip without the programs a test needs, and when nobody asked for the slower sweep."""

    def need(*names: str) -> None:
        need_sweep("a real Mutter")
        need_programs(*names)

    return need


@pytest.fixture
def seat() -> Iterator[FakeSeat]:
    with FakeSeat() as seat:
        yield seat


@pytest.fixture
def make_desk(seat: FakeSeat, programs: Callable[..., None]) -> Iterator[Callable[..., MutterDesk]]:
    programs("mutter", "dbus-daemon", "pipewire", "wireplumber")
    desks: list[MutterDesk] = []

    own_seat = seat

    def make(
        width: int = 640,
        height: int = 360,
        rate: int = 60_000,
        seat: FakeSeat | None = None,
        **settings: object,
    ) -> MutterDesk:
        compositor = MutterCompositor({"program": "mutter", "xwayland": False, **settings})
        desks.append(MutterDesk.open(seat or own_seat, compositor, (width, height, rate)))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


@pytest.fixture
def wait() -> Callable[..., None]:
    return wait_until
