"""A connection to a compositor that never waits for ever and always closes cleanly."""

import atexit
import select
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pywayland.client import Display as WaylandDisplay
from pywayland.protocol.wayland import WlOutput

from punktfunk.plugin import DriverFailed, DriverUnavailable
from punktfunk_capture_kwin.settings import DRIVER

ROUNDTRIP_S = 5.0


class _Proxy(Protocol):
    @property
    def destroyed(self) -> bool: ...

    def destroy(self) -> None: ...


P = TypeVar("P", bound=_Proxy)


def socket_path(environment: Mapping[str, str]) -> Path:
    """Where the compositor that `environment` speaks of listens."""
    return Path(environment.get("XDG_RUNTIME_DIR", "")) / environment.get("WAYLAND_DISPLAY", "")


class Connection:
    """One thread's own connection; its objects die with it, youngest first.

    Raises:
        DriverFailed: from every method, once the compositor is gone.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
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
        self._owned: list[Any] = []
        self._globals: dict[str, list[tuple[int, int]]] = {}
        self._registry = self.own(self._display.get_registry())
        self._registry.dispatcher["global"] = self._on_global
        self.roundtrip()

    def _on_global(self, _registry: Any, name: int, interface: str, version: int) -> None:
        self._globals.setdefault(interface, []).append((name, version))

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
            raise DriverUnavailable(DRIVER, f"the compositor has no {interface.name}")
        name, theirs = offered[0]
        return self.own(self._registry.bind(name, interface, min(version, theirs)))

    def has(self, interface: Any) -> bool:
        return bool(self._globals.get(interface.name))

    def version(self, interface: Any) -> int:
        """What the compositor has, 0 for none."""
        return max((version for _, version in self._globals.get(interface.name, [])), default=0)

    def output_names(self) -> list[str]:
        """What the compositor calls its outputs."""
        return [name for name, _ in self._outputs()]

    def bind_output(self, wanted: str) -> Any:
        """Bind the output of that name; the first when none is asked for.

        Raises:
            DriverUnavailable: there is no such output.
        """
        for name, output in self._outputs():
            if not wanted or name == wanted:
                return output
        raise DriverUnavailable(DRIVER, f"KWin has no output {wanted}")

    def _outputs(self) -> list[tuple[str, Any]]:
        names: dict[int, str] = {}
        found = []
        for number, version in self._globals.get(WlOutput.name, []):
            output = self.own(self._registry.bind(number, WlOutput, min(4, version)))
            output.dispatcher["name"] = lambda _, text, key=number: names.update({key: text})
            found.append((number, output))
        self.roundtrip()
        return [(names.get(number, ""), output) for number, output in found]

    def roundtrip(self) -> None:
        """Wait until everything asked so far is done, at most a few seconds."""
        done = []
        callback = self._display.sync()
        callback.dispatcher["done"] = lambda *_: done.append(True)
        deadline = time.monotonic() + ROUNDTRIP_S
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
            if self._display.dispatch(block=False):
                return
            self._display.flush()
            ready = self._poll.poll(max(0, timeout_s) * 1_000)
            if not ready:
                return
            if ready[0][1] & select.POLLIN:
                self._display.read()
                self._display.dispatch(block=False)
                return
        except RuntimeError as error:
            raise DriverFailed("the compositor closed the connection") from error
        raise DriverFailed("the compositor is gone")

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
