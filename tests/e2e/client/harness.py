"""Starts the client and the relay as processes and talks to them; the tests' side of the pipe.

Nothing of moonlight-python is imported here.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HERE = Path(__file__).resolve().parent
LEAVE_LIMIT_S = 8.0


class ClientError(Exception):
    """The client refused or failed: `stage` says where, `code` is the library's or host's own."""

    def __init__(self, command: str, error: dict[str, Any]) -> None:
        self.kind: str = error.get("kind", "")
        self.stage: str = error.get("stage", "")
        self.message: str = error.get("message", "")
        self.code: int | None = error.get("code")
        super().__init__(
            f"{command} failed at {self.stage!r} ({self.kind}, code {self.code}): {self.message}"
        )


class LineProcess:
    """A child that speaks JSON lines; it is gone when the `with` block ends, however it ends."""

    def __init__(self, arguments: list[str], log_path: Path | None = None) -> None:
        self._log = log_path.open("wb") if log_path else None
        self.log_path = log_path
        self.events: list[dict[str, Any]] = []
        self._arrived = threading.Condition()
        self._pending: dict[int, tuple[str, Future[Any]]] = {}
        self._next_id = 1
        self._writing = threading.Lock()
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log or subprocess.DEVNULL,
            env=os.environ | {"PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        try:
            self.wait_event("ready", timeout_s=20)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self.process.pid

    def send(self, command: str, **members: Any) -> Future[Any]:
        """Ask without waiting; the future holds the result or a ClientError."""
        future: Future[Any] = Future()
        with self._writing:
            identifier = self._next_id
            self._next_id += 1
            self._pending[identifier] = (command, future)
            line = json.dumps({"id": identifier, "cmd": command, **members}) + "\n"
            try:
                self.process.stdin.write(line.encode())
                self.process.stdin.flush()
            except (BrokenPipeError, ValueError):
                self._pending.pop(identifier, None)
                future.set_exception(self._gone(command))
        return future

    def request(self, command: str, *, limit_s: float = 15, **members: Any) -> Any:
        """Ask and wait; raises ClientError, or TimeoutError naming the command and the log."""
        try:
            return self.send(command, **members).result(limit_s)
        except TimeoutError:
            raise TimeoutError(
                f"no answer to {command!r} within {limit_s} s\n{self.log_tail()}"
            ) from None

    def wait_event(
        self,
        name: str,
        timeout_s: float = 10,
        where: Callable[[dict[str, Any]], bool] = lambda event: True,
    ) -> dict[str, Any]:
        """The first event of that name, also one that came before; raises TimeoutError."""
        deadline = time.monotonic() + timeout_s
        with self._arrived:
            seen = 0
            while True:
                for event in self.events[seen:]:
                    if event.get("event") == name and where(event):
                        return event
                seen = len(self.events)
                left_s = deadline - time.monotonic()
                if left_s <= 0 or not self._reader.is_alive():
                    raise TimeoutError(f"no event {name!r}\n{self.log_tail()}")
                self._arrived.wait(min(left_s, 0.5))

    def events_named(self, name: str) -> list[dict[str, Any]]:
        with self._arrived:
            return [event for event in self.events if event.get("event") == name]

    def log_tail(self, lines: int = 25) -> str:
        if self.log_path is None or not self.log_path.exists():
            return "(no log kept)"
        return "\n".join(self.log_path.read_text("utf-8", "replace").splitlines()[-lines:])

    def freeze(self) -> None:
        """Stop the process as it stands: its sockets stay open and nothing answers."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without a goodbye and wait until it is gone."""
        self.process.kill()
        self.process.wait(LEAVE_LIMIT_S)

    def close(self) -> None:
        """End of input is the polite request to leave; then SIGKILL."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
        with self._writing, suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(LEAVE_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(LEAVE_LIMIT_S)
        self.process.stdout.close()
        if self._log is not None:
            self._log.close()

    def _read(self) -> None:
        for raw in self.process.stdout:
            try:
                line = json.loads(raw)
            except ValueError:
                continue
            if "event" in line:
                with self._arrived:
                    self.events.append(line)
                    self._arrived.notify_all()
                continue
            command, future = self._pending.pop(line.get("id"), ("", None))
            if future is None:
                continue
            if line.get("ok"):
                _settle(future, result=line.get("result"))
            else:
                _settle(future, error=ClientError(command, line.get("error") or {}))
        while self._pending:
            _identifier, (command, future) = self._pending.popitem()
            _settle(future, error=self._gone(command))
        with self._arrived:
            self._arrived.notify_all()

    def _gone(self, command: str) -> ClientError:
        return ClientError(
            command, {"kind": "gone", "stage": "process", "message": "the process has ended"}
        )


class MoonlightClient(LineProcess):
    """The real client in a process of its own. One identity folder is one client."""

    def __init__(
        self,
        identity: Path,
        address: str = "127.0.0.1",
        http_port: int = 47_989,
        log_path: Path | None = None,
    ) -> None:
        self.address = address
        self.http_port = http_port
        super().__init__([str(HERE / "moonlight_client.py"), "--identity", str(identity)], log_path)

    def __enter__(self) -> Self:
        super().__enter__()
        self.request("host", address=self.address, http_port=self.http_port)
        return self

    def pair(self, pin: str, timeout_s: int = 60) -> dict[str, Any]:
        return self.request("pair", limit_s=timeout_s + 10, pin=pin, timeout_s=timeout_s)

    def begin_pair(self, pin: str, timeout_s: int = 60) -> "Future[dict[str, Any]]":
        """Pairing waits for the PIN on the host: enter it there, then read the future."""
        return self.send("pair", pin=pin, timeout_s=timeout_s)

    def unpair(self, scheme: str = "http") -> dict[str, Any]:
        return self.request("unpair", scheme=scheme)

    def serverinfo(self, scheme: str = "http") -> dict[str, Any]:
        return self.request("serverinfo", scheme=scheme)

    def applist(self) -> list[dict[str, Any]]:
        return self.request("applist")["apps"]

    def get(self, path: str, scheme: str = "https", query: str = "") -> dict[str, Any]:
        return self.request("get", path=path, scheme=scheme, query=query)

    def launch(self, app: str | None = None, limit_s: float = 60, **options: Any) -> dict[str, Any]:
        return self.request("launch", limit_s=limit_s, app=app, **options)

    def resume(self, limit_s: float = 60, **options: Any) -> dict[str, Any]:
        return self.request("resume", limit_s=limit_s, **options)

    def quit(self, limit_s: float = 35) -> dict[str, Any]:
        return self.request("quit", limit_s=limit_s)

    def start(self, limit_s: float = 40, **options: Any) -> dict[str, Any]:
        return self.request("start", limit_s=limit_s, **options)

    def stop(self, limit_s: float = 15) -> dict[str, Any]:
        return self.request("stop", limit_s=limit_s)

    def wait_frames(self, count: int, timeout_s: float = 10) -> int:
        answer = self.request(
            "wait_frames", limit_s=timeout_s + 5, count=count, timeout_s=timeout_s
        )
        return answer["seen"]

    def wait_cards(self, distinct: int, timeout_s: float = 10) -> int:
        answer = self.request(
            "wait_cards", limit_s=timeout_s + 5, distinct=distinct, timeout_s=timeout_s
        )
        return answer["seen"]

    def stats(self, drain_s: float = 0, reset: bool = False) -> dict[str, Any]:
        return self.request("stats", limit_s=drain_s * 2 + 15, drain_s=drain_s, reset=reset)

    def frames(self) -> list[dict[str, Any]]:
        return self.request("frames")["frames"]

    def log(self) -> list[str]:
        return self.request("log")["lines"]

    def snapshot(self, path: Path) -> dict[str, Any]:
        return self.request("snapshot", path=str(path))

    def pixel(self, x: int, y: int) -> tuple[int, int, int]:
        red, green, blue = self.request("pixel", x=x, y=y)["rgb"]
        return red, green, blue

    def request_idr(self) -> None:
        self.request("request_idr")

    def key(self, vk: int, action: str = "tap", modifiers: int = 0) -> None:
        self.request("key", vk=vk, action=action, modifiers=modifiers)

    def text(self, text: str) -> None:
        self.request("text", text=text)

    def mouse_move(self, dx: int, dy: int) -> None:
        self.request("mouse_move", dx=dx, dy=dy)

    def mouse_position(self, x: int, y: int, width: int, height: int) -> None:
        self.request("mouse_position", x=x, y=y, reference_width=width, reference_height=height)

    def mouse_button(self, button: str = "left", action: str = "click") -> None:
        self.request("mouse_button", button=button, action=action)

    def scroll(self, amount: int, horizontal: bool = False) -> None:
        self.request("scroll", amount=amount, horizontal=horizontal)

    def pad_arrival(self, **state: Any) -> None:
        self.request("pad_arrival", **state)

    def pad(self, **state: Any) -> None:
        self.request("pad", **state)

    def vanish(self) -> None:
        """The client dies without a word to the host."""
        self.send("vanish")
        self.process.wait(LEAVE_LIMIT_S)


class Relay(LineProcess):
    """The lossy relay in a process of its own; see relay.py for its options."""

    def __init__(self, *arguments: str, log_path: Path | None = None) -> None:
        super().__init__([str(HERE / "relay.py"), *arguments], log_path)

    def stats(self) -> dict[str, Any]:
        return self.request("stats")

    def set_loss(self, rules: list[str]) -> dict[str, Any]:
        """Replace the loss of the named flows, for example `["video:down=1"]`."""
        return self.request("loss", rules=rules)

    def blackout(self, duration_ms: int) -> None:
        """Drop every datagram for so long."""
        self.request("blackout", duration_ms=duration_ms)

    def datagrams(self, flow: str) -> list[bytes]:
        """The first few datagrams of a flow such as `video:down`, as they were on the wire."""
        found = self.request("datagrams", flow=flow)["datagrams"]
        return [bytes.fromhex(each) for each in found]


def create_identities(folders: list[Path], serial: int = 0) -> None:
    """One client identity in each folder, all with the same subject and the same serial."""
    code = (
        "import sys; from pathlib import Path; from moonlight_host import create_identity\n"
        "for folder in sys.argv[2:]: create_identity(Path(folder), int(sys.argv[1]))"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(serial), *map(str, folders)],
        check=True,
        cwd=HERE,
        timeout=60,
    )


def _settle(future: "Future[Any]", result: Any = None, error: Exception | None = None) -> None:
    try:
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)
    except InvalidStateError:
        pass  # whoever waited has cancelled it
