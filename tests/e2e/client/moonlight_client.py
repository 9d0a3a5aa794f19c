"""The real client as a process: JSON lines in, JSON lines out.

A request is `{"id": 1, "cmd": "pair", ...}`. The answer is `{"id": 1, "ok": true, "result": ...}`
or `{"id": 1, "ok": false, "error": {"kind", "stage", "message", "code"}}`. Lines with "event"
come in between. Requests that wait for the host run one after another on a thread of their own,
so that `stats`, input and `vanish` are answered while `pair` or `start` wait.
"""

import argparse
import json
import os
import secrets
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import moonlight_library as core
from client_failure import ClientFailure
from moonlight_host import HostClient, create_identity, with_host
from moonlight_stream import Stream, StreamRequest

Result = Any
REMOTE = {"local": core.LOCAL, "remote": core.REMOTE, "auto": core.AUTO}
KEY_ACTIONS = {"down": (0x03,), "up": (0x04,), "tap": (0x03, 0x04)}
BUTTON_ACTIONS = {"down": (0x07,), "up": (0x08,), "click": (0x07, 0x08)}
BUTTONS = {"left": 1, "middle": 2, "right": 3, "x1": 4, "x2": 5}
PAD_BUTTONS = {
    "up": 0x1,
    "down": 0x2,
    "left": 0x4,
    "right": 0x8,
    "start": 0x10,
    "back": 0x20,
    "l3": 0x40,
    "r3": 0x80,
    "lb": 0x100,
    "rb": 0x200,
    "guide": 0x400,
    "a": 0x1000,
    "b": 0x2000,
    "x": 0x4000,
    "y": 0x8000,
    "paddle1": 0x10000,
    "paddle2": 0x20000,
    "paddle3": 0x40000,
    "paddle4": 0x80000,
    "touchpad": 0x100000,
    "misc": 0x200000,
}
PAD_TYPES = {"unknown": 0, "xbox": 1, "playstation": 2, "nintendo": 3}
STOP_LIMIT_S = 5


class Client:
    """The commands; every public `do_` method is one, its arguments are the request's members."""

    def __init__(self, identity: Path, emit: Callable[[dict[str, Any]], None]) -> None:
        self._identity = identity
        self._emit = emit
        self._library = core.load_library()
        self._host: HostClient | None = None
        self._stream: Stream | None = None
        self._launch: dict[str, Any] | None = None

    # --- host -------------------------------------------------------------------------------

    def do_host(self, address: str, http_port: int) -> Result:
        """Choose the host; later commands may leave it out."""
        self._host = HostClient(self._identity, address, http_port)
        return {
            "address": address,
            "http_port": http_port,
            "pinned": bool(self._host.pinned_certificate_pem),
        }

    def do_create_identity(
        self, folder: str, serial: int = 0, common_name: str | None = None
    ) -> Result:
        create_identity(Path(folder), serial, common_name)
        return {"folder": folder}

    def do_pair(self, pin: str, timeout_s: int = 60, **where: Any) -> Result:
        return self._at(where).pair(pin, timeout_s)

    def do_unpair(self, scheme: str = "http", **where: Any) -> Result:
        return self._at(where).unpair(scheme)

    def do_serverinfo(self, scheme: str = "http", **where: Any) -> Result:
        return self._at(where).serverinfo(scheme)

    def do_applist(self, **where: Any) -> Result:
        return {"apps": self._at(where).applist()}

    def do_get(
        self,
        path: str,
        scheme: str = "https",
        query: str = "",
        timeout_s: float = 10,
        **where: Any,
    ) -> Result:
        return self._at(where).fetch(scheme, path, query, timeout_s)

    def do_launch(
        self,
        app_id: int | None = None,
        app: str | None = None,
        width: int = 1280,
        height: int = 720,
        fps: int = 60,
        audio: str = "stereo",
        sops: bool = True,
        local_audio: bool = False,
        corever: bool = True,
        query: str = "",
        **where: Any,
    ) -> Result:
        """Ask the host to start an app, by id or by name."""
        host = self._at(where)
        if app_id is None:
            app_id = _find_app(host.applist(), app)
        key, iv = _fresh_key()
        began_ns = time.monotonic_ns()
        url = host.launch(
            app_id,
            (width, height, fps),
            audio,
            key,
            iv,
            self._query(corever, query),
            sops=sops,
            local_audio=local_audio,
        )
        return self._launched("launch", url, key, iv, audio, began_ns, (width, height, fps))

    def do_resume(
        self,
        audio: str = "stereo",
        corever: bool = True,
        query: str = "",
        width: int = 1280,
        height: int = 720,
        fps: int = 60,
        **where: Any,
    ) -> Result:
        """Take up the running app. `query` adds what other clients send (mode, appid, ...)."""
        key, iv = _fresh_key()
        began_ns = time.monotonic_ns()
        url = self._at(where).resume(audio, key, iv, self._query(corever, query))
        return self._launched("resume", url, key, iv, audio, began_ns, (width, height, fps))

    def do_quit(self, **where: Any) -> Result:
        return self._at(where).quit()

    # --- stream -----------------------------------------------------------------------------

    def do_start(
        self,
        width: int | None = None,
        height: int | None = None,
        fps: int | None = None,
        bitrate_kbps: int = 10_000,
        packet_size: int = 1392,
        codec: str | list[str] = "h264",
        audio: str | None = None,
        encryption: str = "all",
        remote: str = "local",
        refresh_x100: int = 0,
        colour_space: int = 1,
        full_range: bool = False,
        slices: int = 1,
        invalidation: bool = False,
        slow_audio: bool = False,
        any_audio_duration: bool = False,
        rewrite_url: bool = False,
        session_url: str | None = None,
        server: dict[str, Any] | None = None,
    ) -> Result:
        """Connect the stream that the last launch or resume prepared.

        `server` (app_version, gfe_version, codec_mode_support) stands in for serverinfo; with it
        and a `session_url` no launch is needed, for testing how a host treats that.
        """
        host = self._at({})
        if self._stream is not None and self._stream.state not in ("stopped", "failed"):
            raise ClientFailure("state", "start", f"a stream is {self._stream.state}")
        launch = self._launch
        if launch is None:
            if session_url is None:
                raise ClientFailure("state", "start", "launch or resume first")
            key, iv = _fresh_key()
            launch = {"url": session_url, "key": key, "iv": iv}
            launch |= {"audio": "stereo", "mode": (1280, 720, 60)}
        if server is None:
            if host.info is None:
                host.serverinfo("http")
            server = {
                "app_version": host.info.app_version,
                "gfe_version": host.info.gfe_version,
                "codec_mode_support": host.info.server_codec_mode_support,
            }
        url = session_url or launch["url"]
        if rewrite_url:
            url = with_host(url, host.address)
        codecs = (codec,) if isinstance(codec, str) else tuple(codec)
        asked_width, asked_height, asked_fps = launch["mode"]
        stream = Stream(self._library, self._emit)
        self._stream = stream
        stream.start(
            StreamRequest(
                address=host.address,
                session_url=url,
                app_version=server["app_version"],
                gfe_version=server.get("gfe_version", ""),
                codec_mode_support=server["codec_mode_support"],
                key=launch["key"],
                iv=launch["iv"],
                width=width or asked_width,
                height=height or asked_height,
                fps=fps or asked_fps,
                bitrate_kbps=bitrate_kbps,
                packet_size=packet_size,
                codecs=tuple(_checked(core.CODECS, name, "codec") for name in codecs),
                audio=audio or launch["audio"],
                encryption=_checked(core.ENCRYPTION, encryption, "encryption"),
                remote=_chosen(REMOTE, remote, "remote"),
                refresh_x100=refresh_x100,
                colour_space=colour_space,
                full_range=full_range,
                slices=slices,
                invalidation=invalidation,
                slow_audio=slow_audio,
                any_audio_duration=any_audio_duration,
            )
        )
        return {
            "session_url": url,
            "codec": core.codec_name(stream.video_format),
            "connected_ms": stream.statistics()["connected_ms"],
        }

    def do_interrupt(self) -> Result:
        """Break off a `start` that is under way."""
        if self._stream is not None and self._stream.state == "connecting":
            self._library.LiInterruptConnection()
        return {}

    def do_stop(self) -> Result:
        if self._stream is not None:
            self._stream.stop()
        return {"state": self._stream.state if self._stream else "none"}

    def do_wait_frames(self, count: int, timeout_s: float = 10) -> Result:
        """Return as soon as so many frames were decoded since the start or the last reset."""
        return self._wait("wait_frames", "frames_decoded", count, timeout_s)

    def do_wait_cards(self, distinct: int, timeout_s: float = 10) -> Result:
        return self._wait("wait_cards", "cards", distinct, timeout_s)

    def do_stats(self, drain_s: float = 0, reset: bool = False) -> Result:
        """Everything seen; `reset` begins a new window afterwards, `drain_s` decodes first."""
        stream = self._need_stream("stats")
        if drain_s:
            for pipeline in (stream.video, stream.audio):
                if pipeline is not None:
                    pipeline.drain(drain_s)
        result = stream.statistics()
        launch = self._launch
        if launch is not None:
            offset_ms = (stream.started_ns - launch["began_ns"]) / 1e6
            result["since_launch_ms"] = {
                "answered": launch["answered_ms"],
                **{
                    name: None if result[f"{name}_ms"] is None else result[f"{name}_ms"] + offset_ms
                    for name in ("connected", "first_frame", "first_decoded", "first_audio")
                },
            }
        if reset:
            stream.reset_statistics()
        return result

    def do_frames(self) -> Result:
        video = self._need_stream("frames").video
        return {"frames": video.recent_frames() if video else []}

    def do_log(self) -> Result:
        return {"lines": list(self._need_stream("log").log)}

    def do_snapshot(self, path: str) -> Result:
        return self._picture("snapshot", lambda video: video.save_picture(Path(path)))

    def do_pixel(self, x: int, y: int) -> Result:
        return self._picture("pixel", lambda video: {"rgb": video.pixel(x, y)})

    def do_request_idr(self) -> Result:
        self._need_stream("request_idr").request_idr()
        return {}

    # --- input ------------------------------------------------------------------------------

    def do_key(self, vk: int, action: str = "tap", modifiers: int = 0, flags: int = 0) -> Result:
        for code in _chosen(KEY_ACTIONS, action, "action"):
            self._send("LiSendKeyboardEvent2", _i16(vk | 0x8000), code, modifiers, flags)
        return {}

    def do_text(self, text: str) -> Result:
        data = text.encode("utf-8")
        self._send("LiSendUtf8TextEvent", data, len(data))
        return {}

    def do_mouse_move(self, dx: int, dy: int) -> Result:
        self._send("LiSendMouseMoveEvent", dx, dy)
        return {}

    def do_mouse_position(
        self, x: int, y: int, reference_width: int, reference_height: int
    ) -> Result:
        self._send("LiSendMousePositionEvent", x, y, reference_width, reference_height)
        return {}

    def do_mouse_button(self, button: str = "left", action: str = "click") -> Result:
        for code in _chosen(BUTTON_ACTIONS, action, "action"):
            self._send("LiSendMouseButtonEvent", code, _chosen(BUTTONS, button, "button"))
        return {}

    def do_scroll(self, amount: int, horizontal: bool = False) -> Result:
        """120 is one notch; positive is up or right."""
        name = "LiSendHighResHScrollEvent" if horizontal else "LiSendHighResScrollEvent"
        self._send(name, amount)
        return {}

    def do_pad_arrival(
        self,
        number: int = 0,
        mask: int = 1,
        kind: str = "xbox",
        capabilities: int = 0x3,
        buttons: int = 0xFFFF,
    ) -> Result:
        self._send(
            "LiSendControllerArrivalEvent",
            number,
            mask,
            _chosen(PAD_TYPES, kind, "kind"),
            buttons,
            capabilities,
        )
        return {}

    def do_pad(
        self,
        number: int = 0,
        mask: int = 1,
        buttons: int | list[str] = 0,
        lt: int = 0,
        rt: int = 0,
        lx: int = 0,
        ly: int = 0,
        rx: int = 0,
        ry: int = 0,
    ) -> Result:
        """The whole state of one pad; a mask without its bit removes it."""
        if isinstance(buttons, list):
            buttons = sum(_chosen(PAD_BUTTONS, name, "button") for name in set(buttons))
        self._send("LiSendMultiControllerEvent", number, mask, buttons, lt, rt, lx, ly, rx, ry)
        return {}

    def do_pad_motion(self, kind: int, x: float, y: float, z: float, number: int = 0) -> Result:
        self._send("LiSendControllerMotionEvent", number, kind, x, y, z)
        return {}

    def do_pad_touch(
        self,
        event: int,
        x: float,
        y: float,
        pressure: float = 1.0,
        pointer: int = 0,
        number: int = 0,
    ) -> Result:
        self._send("LiSendControllerTouchEvent", number, event, pointer, x, y, pressure)
        return {}

    def do_pad_battery(self, state: int, percent: int, number: int = 0) -> Result:
        self._send("LiSendControllerBatteryEvent", number, state, percent)
        return {}

    def do_touch(
        self,
        event: int,
        x: float,
        y: float,
        pointer: int = 0,
        pressure: float = 1.0,
        major: float = 0.0,
        minor: float = 0.0,
        rotation: int = 0xFFFF,
    ) -> Result:
        self._send("LiSendTouchEvent", event, pointer, x, y, pressure, major, minor, rotation)
        return {}

    def do_pen(
        self,
        event: int,
        x: float,
        y: float,
        tool: int = 1,
        buttons: int = 0,
        pressure: float = 1.0,
        major: float = 0.0,
        minor: float = 0.0,
        rotation: int = 0xFFFF,
        tilt: int = 0xFF,
    ) -> Result:
        self._send(
            "LiSendPenEvent", event, tool, buttons, x, y, pressure, major, minor, rotation, tilt
        )
        return {}

    # --- process ----------------------------------------------------------------------------

    def do_ping(self) -> Result:
        return {"pid": os.getpid(), "state": self._stream.state if self._stream else "none"}

    def do_vanish(self) -> Result:
        """Die at once: no goodbye, no flush, as a client whose machine lost power."""
        os.kill(os.getpid(), signal.SIGKILL)
        return {}

    def do_exit(self) -> Result:
        return {}

    # --- inside -----------------------------------------------------------------------------

    def _at(self, where: dict[str, Any]) -> HostClient:
        address, port = where.pop("address", None), where.pop("http_port", None)
        if where:
            raise ClientFailure("request", "arguments", f"unknown: {', '.join(sorted(where))}")
        if address is not None:
            known = self._host
            if known is None or (known.address, known.http_port) != (address, port):
                self.do_host(address, 47_989 if port is None else port)
        if self._host is None:
            raise ClientFailure("state", "host", "no host was chosen; send host first")
        return self._host

    def _query(self, corever: bool, extra: str) -> str:
        core_query = self._library.LiGetLaunchUrlQueryParameters().decode("ascii")
        parts = [core_query.lstrip("&")] if corever else []
        return "&".join([*parts, *([extra] if extra else [])])

    def _launched(
        self,
        how: str,
        url: str,
        key: bytes,
        iv: bytes,
        audio: str,
        began_ns: int,
        mode: tuple[int, int, int],
    ) -> Result:
        answered_ms = round((time.monotonic_ns() - began_ns) / 1e6, 3)
        self._launch = {
            "url": url,
            "key": key,
            "iv": iv,
            "audio": audio,
            "began_ns": began_ns,
            "answered_ms": answered_ms,
            "mode": mode,
        }
        return {"how": how, "session_url": url, "answered_ms": answered_ms}

    def _need_stream(self, stage: str) -> Stream:
        if self._stream is None:
            raise ClientFailure("state", stage, "no stream was started")
        return self._stream

    def _send(self, function: str, *arguments: Any) -> None:
        self._need_stream(function).send(function, *arguments)

    def _picture(self, stage: str, action: Callable[[Any], Any]) -> Result:
        video = self._need_stream(stage).video
        if video is None:
            raise ClientFailure("state", stage, "the stream has no picture yet")
        try:
            return action(video)
        except (LookupError, OSError, ValueError) as error:
            raise ClientFailure("picture", stage, str(error)) from error

    def _wait(self, stage: str, what: str, count: int, timeout_s: float) -> Result:
        stream = self._need_stream(stage)
        deadline = time.monotonic() + timeout_s
        while True:
            seen = stream.video.progress()[what] if stream.video else 0
            if seen >= count:
                return {"seen": seen}
            if stream.wait_ended(min(0.02, max(0.0, deadline - time.monotonic()))):
                raise ClientFailure(
                    "terminated", stage, f"the stream ended at {seen}", stream.termination_code
                )
            if time.monotonic() >= deadline:
                raise ClientFailure(
                    "timeout", stage, f"{seen} of {count} within {timeout_s} s; {stream.state}"
                )


# Anything that may wait for the host.
SLOW = frozenset(
    {
        "applist",
        "get",
        "launch",
        "pair",
        "quit",
        "resume",
        "serverinfo",
        "start",
        "stop",
        "unpair",
        "wait_cards",
        "wait_frames",
    }
)


def answer(client: Client, request: dict[str, Any]) -> dict[str, Any]:
    """Run one request; every outcome is a line."""
    identifier = request.pop("id", None)
    command = request.pop("cmd", None)
    method = getattr(client, f"do_{command}", None)
    try:
        if method is None:
            raise ClientFailure("request", str(command), "no such command")
        return {"id": identifier, "ok": True, "result": method(**request)}
    except ClientFailure as error:
        report = error.report()
    except TypeError as error:
        traceback.print_exc()
        report = ClientFailure("request", str(command), str(error)).report()
    except Exception as error:
        traceback.print_exc()
        report = ClientFailure("internal", str(command), repr(error)).report()
    return {"id": identifier, "ok": False, "error": report}


def main() -> None:
    """Serve requests until standard input ends, then stop the stream and leave."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--identity", type=Path, required=True, help="folder of key and cert")
    options = parser.parse_args()

    # Whatever the libraries print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    writing = threading.Lock()

    def emit(line: dict[str, Any]) -> None:
        with writing, suppress(BrokenPipeError):
            answers.write(json.dumps(line) + "\n")
            answers.flush()

    client = Client(options.identity, emit)
    slow = ThreadPoolExecutor(1, thread_name_prefix="slow")
    emit({"event": "ready", "pid": os.getpid(), "library": core.library_path().name})
    for line in sys.stdin:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise ValueError("a request is an object")
        except ValueError as error:
            failure = ClientFailure("request", "json", str(error))
            emit({"id": None, "ok": False, "error": failure.report()})
            continue
        if request.get("cmd") in SLOW:
            slow.submit(lambda request=request: emit(answer(client, request)))
            continue
        leaving = request.get("cmd") == "exit"
        emit(answer(client, request))
        if leaving:
            break

    def leave() -> None:
        client.do_interrupt()
        slow.shutdown(wait=True, cancel_futures=True)
        client.do_stop()

    stopping = threading.Thread(target=leave, daemon=True)
    stopping.start()
    stopping.join(STOP_LIMIT_S)
    os._exit(0)  # a thread may still be inside the library


def _find_app(apps: list[dict[str, Any]], name: str | None) -> int:
    for app in apps:
        if name is not None and app["name"].lower() == name.lower():
            return int(app["id"])
    known = ", ".join(app["name"] for app in apps)
    raise ClientFailure("request", "launch", f"no app {name!r}; the host has: {known}")


def _fresh_key() -> tuple[bytes, bytes]:
    return secrets.token_bytes(16), secrets.token_bytes(4) + bytes(12)


def _chosen(choices: dict[str, Any], name: str, what: str) -> Any:
    if name not in choices:
        raise ClientFailure("request", what, f"{name!r} is none of {', '.join(choices)}")
    return choices[name]


def _checked(choices: dict[str, Any], name: str, what: str) -> str:
    _chosen(choices, name, what)
    return name


def _i16(value: int) -> int:
    return value - 0x10000 if value & 0x8000 else value


if __name__ == "__main__":
    main()
