"""Making and removing null sinks on a running sound server. Leaves everything else alone."""

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pulsectl

from punktfunk.plugin import SAMPLE_RATE_HZ, ChannelLayout, DriverFailed

CONNECT_S = 2.0
APPEAR_S = 5.0
LOOPBACK_MS = 40
_POLL_S = 0.01


class _PromptPulse(pulsectl.Pulse):  # type: ignore[misc]
    """pulsectl whose `connect(timeout=…)` returns when connected, not when the time is over."""

    def _pulse_state_cb(self, context: Any, userdata: Any) -> None:
        super()._pulse_state_cb(context, userdata)
        if self.connected:
            self._loop_stop = True


def user_server(environment: Mapping[str, str]) -> str | None:
    """Where the sound server of a user's session listens, None when nothing says so."""
    if server := environment.get("PULSE_SERVER"):
        return server
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        path = Path(runtime, "pulse", "native")
        return f"unix:{path}" if path.is_socket() else None
    return None


def answers(server: str) -> bool:
    try:
        with connected(server) as pulse:
            pulse.server_info()
    except pulsectl.PulseError:
        return False
    return True


@contextmanager
def connected(server: str) -> Iterator[Any]:
    """Connect for a moment. Starts no server.

    Raises:
        pulsectl.PulseError: it does not answer in time, or goes away meanwhile.
    """
    pulse = _PromptPulse("punktfunk", server=server, connect=False)
    try:
        pulse.connect(timeout=CONNECT_S)
        yield pulse
    except pulsectl.PulseDisconnected as error:
        raise pulsectl.PulseError("it went away") from error
    finally:
        pulse.close()


def create_sink(server: str, sink: str, layout: ChannelLayout) -> None:
    """Make a null sink and wait until it can be played on.

    Raises:
        DriverFailed: the server refused, or went away.
    """
    arguments = [
        f"sink_name={sink}",
        f"rate={SAMPLE_RATE_HZ}",
        "format=float32le",
        f"channels={layout.channels}",
        f"channel_map={','.join(layout.speakers)}",
        # A low priority: it must not become the default while there is any other sink.
        f"sink_properties='device.description={sink} priority.session=1 priority.driver=1'",
    ]
    try:
        with connected(server) as pulse:
            pulse.module_load("module-null-sink", arguments)
            deadline = time.monotonic() + APPEAR_S
            while sink not in _sink_names(pulse):
                if time.monotonic() > deadline:
                    raise DriverFailed(f"the sound server does not show the sink {sink}")
                time.sleep(_POLL_S)
    except pulsectl.PulseError as error:
        raise DriverFailed(f"the sound server makes no sink: {error}") from error


def remove_sink(server: str, sink: str) -> None:
    """Unload whatever made the sink; nothing happens when it is not there.

    Raises:
        DriverFailed: the server does not answer.
    """
    try:
        with connected(server) as pulse:
            _unload(pulse, "module-loopback", f"source={sink}.monitor")
            _unload(pulse, "module-null-sink", f"sink_name={sink}")
            deadline = time.monotonic() + APPEAR_S
            while sink in _sink_names(pulse) and time.monotonic() < deadline:
                time.sleep(_POLL_S)
    except pulsectl.PulseError as error:
        raise DriverFailed(f"the sound server does not answer: {error}") from error


def loop_back(server: str, sink: str, speakers: str) -> None:
    """Play what the sink plays on the speakers as well, and on nothing else.

    Never moved, or the loop could end up on the sink that it begins at.

    Args:
        speakers: Name of another sink. Empty: on none.

    Raises:
        DriverFailed: the server refused, or does not answer.
    """
    arguments = [
        f"source={sink}.monitor",
        f"sink={speakers}",
        f"latency_msec={LOOPBACK_MS}",
        "source_dont_move=true",
        "sink_dont_move=true",
    ]
    try:
        with connected(server) as pulse:
            _unload(pulse, "module-loopback", arguments[0])
            if speakers:
                pulse.module_load("module-loopback", arguments)
    except pulsectl.PulseError as error:
        raise DriverFailed(f"the sound server makes no loopback: {error}") from error


def is_real(sink: str) -> bool:
    """Could this default sink be heard, as far as its name tells?"""
    return sink not in ("", "auto_null", "@NONE@") and not sink.startswith("punktfunk-")


def default_sink(server: str) -> str:
    """Name of the sink that programs play on by themselves.

    Raises:
        DriverFailed: the server does not answer.
    """
    try:
        with connected(server) as pulse:
            return str(pulse.server_info().default_sink_name)
    except pulsectl.PulseError as error:
        raise DriverFailed(f"the sound server does not answer: {error}") from error


def undo_sink(server: str, sink: str) -> bool:
    """Remove a sink that a crashed session left. True when it is gone.

    A local server that no longer listens took the sink with it.
    """
    if not server or not sink.startswith("punktfunk-"):
        return True
    try:
        remove_sink(server, sink)
    except DriverFailed:
        return _is_gone(server)
    return True


def has_sink(server: str, sink: str) -> bool:
    """Raises `DriverFailed` when the server does not answer."""
    try:
        with connected(server) as pulse:
            return sink in _sink_names(pulse)
    except pulsectl.PulseError as error:
        raise DriverFailed(f"the sound server does not answer: {error}") from error


def _unload(pulse: Any, name: str, argument: str) -> None:
    for module in pulse.module_list():
        if module.name == name and argument in (module.argument or "").split():
            pulse.module_unload(module.index)


def _sink_names(pulse: Any) -> set[str]:
    return {sink.name for sink in pulse.sink_list()}


def _is_gone(server: str) -> bool:
    path = server.removeprefix("unix:")
    if not path.startswith("/"):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return True
        except OSError:
            return False
    return False
