"""Drivers that go wrong in every way a session must survive. Made to look installed by
`install_faulty` in conftest.py; runs inside real workers.

What goes wrong while a session runs is asked for by a file in the seat's runtime folder.
"""

import threading
import time
from pathlib import Path

import numpy as np

from punktfunk.plugin import (
    CaptureDriver,
    CompositorDriver,
    Display,
    DriverFailed,
    DriverUnavailable,
    Effect,
    EncodedFrame,
    EncodeDriver,
    Frame,
    GamepadDriver,
    HostFacts,
    InputDriver,
    LaunchSpec,
    Manifest,
    PadButtons,
    PadState,
    PixelFormat,
    Rumble,
    hookimpl,
)

manifest = Manifest(api=1, title="Faulty")


@hookimpl
def effect_undo(effect: Effect, host: HostFacts) -> bool:
    if effect.kind == "faulty.hang":
        time.sleep(300)
    Path(str(effect.data["path"])).unlink(missing_ok=True)
    return True


class Steady(CompositorDriver):
    """Works, until someone makes the file `die`."""

    def open(self, seat, mode):
        self.seat = seat
        return Display(compositor="steady", mode=mode)

    def attach(self, seat, mode):
        return self.open(seat, mode)

    def resize(self, mode):
        return Display(compositor="steady", mode=mode)

    def check(self):
        if (self.seat.runtime_dir / "die").exists():
            raise DriverFailed("the display is gone")

    def default_app(self):
        return LaunchSpec(argv=("sleep", "300"))

    def close(self):
        pass


class Mortal(Steady):
    """Comes back when its death was only one. Dies again at once while there is `plague`.

    Keeps its size while there is `stubborn`.
    """

    def open(self, seat, mode):
        with (seat.runtime_dir / "opened").open("a") as log:
            log.write(f"{mode.width_px}\n")
        if not (seat.runtime_dir / "plague").exists():
            (seat.runtime_dir / "die").unlink(missing_ok=True)
        return super().open(seat, mode)

    def resize(self, mode):
        if (self.seat.runtime_dir / "stubborn").exists():
            raise DriverFailed("it has only this size")
        return super().resize(mode)


class Unavailable(Steady):
    def open(self, seat, mode):
        raise DriverUnavailable("unavailable", "no such card", ("steady",), "insert a card")


class Failing(Steady):
    def open(self, seat, mode):
        seat.spawn("half", ["sleep", "300"])
        raise DriverFailed("it started and failed")


class Raising(Steady):
    def open(self, seat, mode):
        raise LookupError("nobody thought of this")


class Dying(Steady):
    def open(self, seat, mode):
        raise SystemExit(3)


class Slow(Steady):
    """Takes for ever to come up, with a program already running."""

    def open(self, seat, mode):
        seat.spawn("half", ["sleep", "300"])
        time.sleep(300)


class Marking(Steady):
    """Makes a file outside the seat, and leaves it to `effect_undo` to remove it."""

    def open(self, seat, mode):
        path = seat.runtime_dir.parent / "outside"
        seat.record(Effect(kind="faulty.file", data={"path": str(path)}))
        path.touch()
        return super().open(seat, mode)


class Broken(CaptureDriver):
    """Fails at its first picture."""

    def open(self, seat, display, mode):
        pass

    def read(self, timeout_s):
        raise DriverFailed("no picture will ever come again")

    def close(self):
        pass


class Wavering(CaptureDriver):
    """Grey pictures, a shade lighter with each capture, until someone makes the file `blind`.

    Does not open once when there is the file `dark`.
    """

    opened = 0

    def open(self, seat, display, mode):
        if (seat.runtime_dir / "dark").exists():
            (seat.runtime_dir / "dark").unlink()
            raise DriverFailed("it is dark")
        Wavering.opened += 1
        self.seat, self.mode = seat, mode
        self.taken = 0

    def read(self, timeout_s):
        if (self.seat.runtime_dir / "blind").exists():
            (self.seat.runtime_dir / "blind").unlink()
            raise DriverFailed("somebody switched the light off")
        time.sleep(min(timeout_s, 0.05))
        self.taken += 1
        shape = (self.mode.height_px, 4 * self.mode.width_px)
        return Frame(
            format=PixelFormat.BGRX,
            width_px=self.mode.width_px,
            height_px=self.mode.height_px,
            planes=(np.full(shape, 40 * Wavering.opened % 256, np.uint8),),
            captured_ns=time.monotonic_ns(),
        )

    def close(self):
        pass


class Stuck(CaptureDriver):
    """Does not come back from `read` until it is let go."""

    let_go = threading.Event()

    def open(self, seat, display, mode):
        pass

    def read(self, timeout_s):
        self.let_go.wait()

    def close(self):
        assert self.let_go.is_set(), "closed while a thread was inside"


class Refusing(EncodeDriver):
    def open(self, params):
        raise DriverUnavailable("refusing", "the chip is taken")

    def encode(self, frame: Frame, *, keyframe: bool = False) -> EncodedFrame:
        raise AssertionError("it never opened")

    def set_bitrate(self, bitrate_kbps):
        pass

    def close(self):
        pass


class Brittle(EncodeDriver):
    """Breaks at its fifth picture, and opens only once there is the file `gate`: both only for
    a client that wants full range.
    """

    def open(self, params):
        self.is_brittle = params.color.full_range
        self.made = 0
        gate = Path(str(self.settings.get("gate", "/")))
        while self.is_brittle and not gate.exists():
            gate.with_name("waiting").touch()
            time.sleep(0.01)

    def encode(self, frame: Frame, *, keyframe: bool = False) -> EncodedFrame:
        self.made += 1
        if self.is_brittle and self.made == 5:
            raise DriverFailed("the chip is tired")
        return EncodedFrame(data=b"picture", keyframe=keyframe, captured_ns=frame.captured_ns)

    def set_bitrate(self, bitrate_kbps):
        pass

    def close(self):
        pass


class Noting(InputDriver):
    """Adds a line to the file `notes` for every event."""

    def open(self, seat, display, send_feedback):
        pass

    def handle(self, event):
        with Path(str(self.settings["notes"])).open("a") as notes:
            notes.write(f"{event}\n")

    def release_all(self):
        pass

    def close(self):
        pass


class Clumsy(InputDriver):
    """Raises what it may not, at every event."""

    def open(self, seat, display, send_feedback):
        pass

    def handle(self, event):
        raise KeyError("unknown event")

    def release_all(self):
        raise KeyError("nothing to release")

    def close(self):
        raise KeyError("never opened")


class Flimsy(GamepadDriver):
    """Breaks when somebody presses B, and goes on talking."""

    def open(self, seat, send_feedback):
        self.send_feedback = send_feedback

    def handle(self, event):
        if isinstance(event, PadState) and PadButtons.B in event.buttons:
            raise OSError("No such device")
        self.send_feedback(Rumble(pad=0, low_frequency=1, high_frequency=2))

    def release_all(self):
        raise KeyError("nothing to release")

    def close(self):
        self.send_feedback(Rumble(pad=0, low_frequency=3, high_frequency=4))
        raise KeyError("never opened")


class Forbidden(Flimsy):
    def open(self, seat, send_feedback):
        raise DriverUnavailable("forbidden", "/dev/uinput may not be opened")
