"""A connection to a compositor that never waits for ever and always closes cleanly."""

import atexit
import select
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import attrs
from pywayland.client import Display as WaylandDisplay
from pywayland.protocol.wayland import WlOutput

from punktfunk.plugin import DriverFailed, DriverUnavailable

ROUNDTRIP_S = 5.0


class _Proxy(Protocol):
    @property
    def destroyed(self) -> bool: ...

    def destroy(self) -> None: ...


P = TypeVar("P", bound=_Proxy)

_CURRENT_MODE = 1


@attrs.define(eq=False)
class Output:
    """A bound output. The name is empty where the compositor is too old to tell."""

    number: int
    proxy: Any
    name: str = ""
    width_px: int = 0
    height_px: int = 0
    refresh_mhz: int = 0

    def on_name(self, _proxy: Any, name: str) -> None:
        self.name = name

    def on_mode(self, _proxy: Any, flags: int, width: int, height: int, refresh: int) -> None:
        if flags & _CURRENT_MODE:
            self.width_px, self.height_px, self.refresh_mhz = width, height, refresh


def socket_path(environment: Mapping[str, str]) -> Path:
    """Where the compositor that `environment` speaks of listens."""
    return Path(environment.get("XDG_RUNTIME_DIR", "")) / environment.get("WAYLAND_DISPLAY", "")


class Connection:
    """One thread's own connection; its objects die with it, youngest first.

    Args:
        timeout_s: How long the compositor may take for an answer.

    Raises:
        DriverFailed: from every method, once the compositor is gone.
    """

    def __init__(self, environment: Mapping[str, str], timeout_s: float = ROUNDTRIP_S) -> None:
        # Our own socket: libwayland would look at the host's WAYLAND_SOCKET first.
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connecting:
            try:
                connecting.connect(str(socket_path(environment)))
            except OSError as error:
                raise DriverFailed(f"the compositor does not answer: {error.strerror}") from error
            self._display: Any = WaylandDisplay(connecting.detach())
        self._display.connect()
        atexit.register(self.close)
        self._poll = select.poll()
        self._poll.register(self._display.get_fd(), select.POLLIN)
        self._timeout_s = timeout_s
        self._owned: list[Any] = []
        self._globals: dict[str, list[tuple[int, int]]] = {}
        self._watched = 0
        self._output_gone = False
        self._registry = self.own(self._display.get_registry())
        self._registry.dispatcher["global"] = self._on_global
        self._registry.dispatcher["global_remove"] = self._on_global_remove
        try:
            self.roundtrip()
        except BaseException:
            self.close()
            raise

    def _on_global(self, _registry: Any, name: int, interface: str, version: int) -> None:
        self._globals.setdefault(interface, []).append((name, version))

    def _on_global_remove(self, _registry: Any, name: int) -> None:
        self._output_gone |= name == self._watched

    def has(self, *interfaces: Any) -> bool:
        """Say whether the compositor has all of them."""
        return all(interface.name in self._globals for interface in interfaces)

    def own(self, proxy: P) -> P:
        """Have this object destroyed when the connection closes."""
        self._owned.append(proxy)
        return proxy

    def bind(self, interface: Any, version: int) -> Any:
        """Bind the first global of this interface, at most at `version`.

        Raises:
            DriverUnavailable: the compositor has none.
        """
        offered = self._globals.get(interface.name)
        if not offered:
            raise DriverUnavailable("wlroots", f"the compositor has no {interface.name}")
        name, theirs = offered[0]
        return self.own(self._registry.bind(name, interface, min(version, theirs)))

    def outputs(self) -> "list[Output]":
        """Every output there is."""
        found = []
        for name, version in self._globals.get(WlOutput.name, []):
            output = Output(name, self.own(self._registry.bind(name, WlOutput, min(4, version))))
            output.proxy.dispatcher["mode"] = output.on_mode
            if version >= 4:
                output.proxy.dispatcher["name"] = output.on_name
            found.append(output)
        self.roundtrip()
        return found

    def bind_output(self, wanted: str) -> "Output":
        """Bind the output of that name; the first where the compositor names none.

        Without it, `wait` fails from then on.

        Raises:
            DriverUnavailable: there is no such output.
        """
        outputs = self.outputs()
        for output in outputs:
            if not wanted or (output.name or wanted) == wanted:
                self._watched = output.number
                return output
        names = ", ".join(output.name for output in outputs)
        raise DriverUnavailable(
            "wlroots", f"the compositor has no output {wanted}", hint=f"it has: {names or 'none'}"
        )

    def roundtrip(self) -> None:
        """Wait until everything asked so far is done."""
        done = []
        callback = self._display.sync()
        callback.dispatcher["done"] = lambda *_: done.append(True)
        deadline = time.monotonic() + self._timeout_s
        try:
            while not done:
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    raise DriverFailed("the compositor hangs")
                self.wait(left_s)
        finally:
            callback._destroy()

    def wait(self, timeout_s: float) -> None:
        """Send what is queued, then handle events; returns after the first ones."""
        try:
            gone = self._exchange(timeout_s)
        except RuntimeError as error:
            raise DriverFailed("the compositor closed the connection") from error
        if gone:
            raise DriverFailed("the compositor is gone")
        if self._output_gone:
            raise DriverFailed("the output is gone")

    def _exchange(self, timeout_s: float) -> bool:
        if self._display.dispatch(block=False):
            return False
        self._display.flush()
        ready = self._poll.poll(max(0, timeout_s) * 1_000)
        if not ready:
            return False
        if ready[0][1] & select.POLLIN:
            self._display.read()
            self._display.dispatch(block=False)
            return False
        return True

    def send(self) -> None:
        """Send what is queued without waiting; handle what has come meanwhile."""
        self.wait(0)

    def close(self) -> None:
        """Destroy every object, then hang up.

        An interpreter that ends with live objects crashes, hence also `atexit`; so does one
        whose display goes before its objects.
        """
        atexit.unregister(self.close)
        while self._owned:
            proxy = self._owned.pop()
            if not proxy.destroyed:
                proxy.destroy()
        if self._display is not None:
            self._display.disconnect()
            self._display = None
