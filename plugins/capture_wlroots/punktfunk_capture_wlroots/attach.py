"""A display on the desktop that already runs."""

import logging
import time

import attrs

from punktfunk.plugin import (
    Display,
    DriverFailed,
    Effect,
    Seat,
    VideoMode,
    x11_display_of,
)
from punktfunk_capture_wlroots.desktops import RunningDesktop, running_desktop
from punktfunk_capture_wlroots.ledger import (
    Found,
    find_control,
    one_at_a_time,
    output_effect,
    undo_output,
)
from punktfunk_capture_wlroots.outputs import WORKSPACE, Control
from punktfunk_capture_wlroots.wayland import Connection, Output

log = logging.getLogger(__name__)

MODE_S = 5.0
_POLL_S = 0.01


class AttachedDisplay:
    """An output of the client's own where it can be removed again, else one that is there.

    An output of our own has the focus while the session lasts, so that its programs and the
    client's keys go there. What was there before is not changed at all.

    Args:
        wanted: An existing output to show; empty for one of the client's own.

    Raises:
        DriverUnavailable: no desktop, or no such output.
        DriverFailed: the desktop does not do what it says it can.
    """

    def __init__(self, seat: Seat, wanted: str, mode: VideoMode) -> None:
        self._seat = seat
        self._desktop = running_desktop(seat.host_environment)
        self._effect: Effect | None = None
        self._found: Found | None = None
        self._connection: Connection | None = None
        try:
            self.display = self._show(wanted, mode)
        except BaseException:
            self.close()
            raise

    def resize(self, mode: VideoMode) -> Display:
        """Change an output of our own; what was there before keeps its size."""
        if self._effect is not None and self._found is not None:
            self._set_mode(self._found.control, self.display.output, mode)
            self.display = attrs.evolve(self.display, mode=mode)
        return self.display

    def check(self) -> None:
        """Raise `DriverFailed` when the desktop or the output is gone."""
        if self._connection is None:
            raise DriverFailed("the display is not open")
        self._connection.wait(0)

    def close(self) -> None:
        """Remove the output of our own. What fails here is tried again from the journal."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._found is not None:
            self._found.control.close()
            self._found = None
        effect, self._effect = self._effect, None
        if effect is not None and undo_output(effect):
            self._seat.forget(effect)

    def _show(self, wanted: str, mode: VideoMode) -> Display:
        desktop = self._desktop
        named = self._seat.host_environment.get("SWAYSOCK", "")
        self._found = find_control(desktop.pid, desktop.runtime_dir, named)
        own = not wanted and self._found is not None and self._found.control.makes_outputs
        if own and self._found is not None:
            wanted = self._make(self._found, mode)
        elif not wanted:
            wanted = self._focused()
            log.warning("%s cannot make an output and remove it again", desktop.name)
        self._connection = Connection(desktop.environment)
        output = self._connection.bind_output(wanted)
        if not own:
            log.info("showing %s as it is", output.name or "the only output")
            mode = _mode_of(output, mode)
        return Display(
            compositor="wlroots", mode=mode, output=output.name, environment=_environment(desktop)
        )

    def _make(self, found: Found, mode: VideoMode) -> str:
        wish = f"{WORKSPACE}{self._seat.name}"
        control = found.control
        with one_at_a_time(found.path.parent):
            screens = control.screens()

            def effect(name: str) -> Effect:
                return output_effect(found, self._desktop.pid, name, screens)

            planned = control.planned_name(wish)
            self._note(effect(planned))
            name = control.create(wish)
            if name != planned:
                self._note(effect(name))
            self._set_mode(control, name, mode)
            control.show(name, wish)
        return name

    def _note(self, effect: Effect) -> None:
        """Write down what we now know better."""
        before, self._effect = self._effect, effect
        self._seat.record(effect)
        if before is not None:
            self._seat.forget(before)

    def _set_mode(self, control: Control, name: str, mode: VideoMode) -> None:
        control.set_mode(name, mode)
        deadline = time.monotonic() + MODE_S
        wanted = (name, mode.width_px, mode.height_px)
        while wanted not in [(s.name, s.width_px, s.height_px) for s in control.screens()]:
            if time.monotonic() > deadline:
                raise DriverFailed(f"{self._desktop.name} does not switch to {mode}")
            time.sleep(_POLL_S)

    def _focused(self) -> str:
        """The output with the focus; empty, which is the first, where nobody tells."""
        if self._found is None:
            return ""
        return next((s.name for s in self._found.control.screens() if s.focused), "")


def _mode_of(output: Output, otherwise: VideoMode) -> VideoMode:
    """The output's own mode; headless ones do not always tell a rate."""
    if not output.width_px or not output.height_px:
        return otherwise
    return VideoMode(
        width_px=output.width_px,
        height_px=output.height_px,
        refresh_mhz=output.refresh_mhz or otherwise.refresh_mhz,
    )


def _environment(desktop: RunningDesktop) -> dict[str, str]:
    environment = {
        **desktop.environment,
        "XDG_SESSION_TYPE": "wayland",
        "XDG_CURRENT_DESKTOP": desktop.name,
    }
    x_display = x11_display_of(desktop.pid)
    if x_display is not None:
        environment["DISPLAY"] = x_display
    return environment
