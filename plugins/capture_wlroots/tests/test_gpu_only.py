"""A compositor that copies into GPU memory only. None does without a GPU: a stand-in speaks as
much of the protocol as a capture asks for before it gives up.
"""

import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from punktfunk_capture_wlroots.capture import WlrootsCapture

from punktfunk.plugin import Display, DriverUnavailable, VideoMode

MODE = VideoMode(width_px=640, height_px=360, refresh_mhz=60_000)
XRGB8888 = 0x34325258
SCREENCOPY = {"zwlr_screencopy_manager_v1": 3}
IMAGE_COPY = {
    "ext_output_image_capture_source_manager_v1": 1,
    "ext_image_copy_capture_manager_v1": 1,
}


class StandIn:
    """Serves one client, in a thread."""

    def __init__(self, path: Path, offered: dict[str, int]) -> None:
        self.captures = 0
        self._globals = {"wl_shm": 1, "wl_output": 3, **offered}
        self._interfaces = {1: "wl_display"}
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(str(path))
        self._listening.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        try:
            self._client, _ = self._listening.accept()
        except OSError:
            return
        with self._client:
            while header := self._client.recv(8, socket.MSG_WAITALL):
                number, word = struct.unpack("=II", header)
                body = self._client.recv((word >> 16) - 8, socket.MSG_WAITALL)
                self._on_request(self._interfaces.get(number, ""), word & 0xFFFF, body, number)

    def _on_request(self, interface: str, opcode: int, body: bytes, number: int) -> None:
        new = struct.unpack_from("=I", body)[0] if len(body) >= 4 else 0
        match interface, opcode:
            case "wl_display", 0:
                self._send(new, 0, struct.pack("=I", 1))
            case "wl_display", 1:
                self._interfaces[new] = "wl_registry"
                for name, (offered, version) in enumerate(self._globals.items()):
                    self._send(
                        new, 0, struct.pack("=I", name) + text(offered) + struct.pack("=I", version)
                    )
            case "wl_registry", 0:
                name, (made,) = new, struct.unpack("=I", body[-4:])
                self._interfaces[made] = list(self._globals)[name]
            case "zwlr_screencopy_manager_v1", 0:
                self.captures += 1
                self._send(new, 5, struct.pack("=III", XRGB8888, 640, 360))
                self._send(new, 6)
            case "ext_image_copy_capture_manager_v1", 0:
                self.captures += 1
                self._send(new, 0, struct.pack("=II", 640, 360))
                self._send(new, 3, struct.pack("=IIQ", XRGB8888, 8, 0))
                self._send(new, 4)

    def _send(self, number: int, opcode: int, body: bytes = b"") -> None:
        self._client.sendall(struct.pack("=II", number, len(body) + 8 << 16 | opcode) + body)


def text(words: str) -> bytes:
    data = words.encode() + b"\0"
    return struct.pack("=I", len(data)) + data + b"\0" * (-len(data) % 4)


@pytest.fixture
def stand_in(request, tmp_path) -> Iterator[StandIn]:
    server = StandIn(tmp_path / "wayland-1", request.param)
    yield server
    server.close()


@pytest.mark.parametrize(
    ("stand_in", "asked"),
    [(SCREENCOPY, 1), (IMAGE_COPY, 1), (SCREENCOPY | IMAGE_COPY, 2)],
    indirect=["stand_in"],
    ids=["screencopy", "image-copy", "both"],
)
def test_gpu_memory_only_is_refused_at_once_with_what_to_do(stand_in, asked, tmp_path) -> None:
    environment = {"XDG_RUNTIME_DIR": str(tmp_path), "WAYLAND_DISPLAY": "wayland-1"}
    capture = WlrootsCapture()

    with pytest.raises(DriverUnavailable, match="GPU memory only") as refusal:
        capture.open(None, Display(compositor="wlroots", mode=MODE, environment=environment), MODE)

    assert "WLR_RENDERER" in refusal.value.hint
    assert stand_in.captures == asked
