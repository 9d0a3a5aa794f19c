"""Could a session have sound here? Starts nothing."""

import ctypes
import shutil
from collections.abc import Mapping

from punktfunk.plugin import Availability
from punktfunk_audio_pulse.settings import ServerChoice

OWN_SERVER_PROGRAMS = ("pipewire", "wireplumber", "pipewire-pulse")
INSTALL_HINT = "apt install pipewire wireplumber pipewire-pulse"


def sound_availability(choice: ServerChoice, environment: Mapping[str, str]) -> Availability:
    """Say which sound server a session would play on, or why it would be silent."""
    if not libpulse_loads():
        return Availability.no("libpulse is not installed", hint="apt install libpulse0")
    if choice is not ServerChoice.OWN:
        from punktfunk_audio_pulse.sinks import answers, user_server

        server = user_server(environment)
        if server is not None and answers(server):
            return Availability.yes("the user's sound server")
        if choice is ServerChoice.USER:
            return Availability.no(
                "no sound server of the user answers",
                hint="start PipeWire or PulseAudio, or set server = 'auto'",
            )
    missing = missing_programs(environment.get("PATH"))
    if missing:
        return Availability.no(
            f"no sound server answers, and none can be started without {', '.join(missing)}",
            hint=INSTALL_HINT,
        )
    return Availability.yes("a PipeWire of the session's own")


def libpulse_loads() -> bool:
    try:
        ctypes.CDLL("libpulse.so.0")
    except OSError:
        return False
    return True


def missing_programs(path: str | None) -> list[str]:
    """What an own sound server needs and `path` has not."""
    return [name for name in OWN_SERVER_PROGRAMS if shutil.which(name, path=path) is None]
