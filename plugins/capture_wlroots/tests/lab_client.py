"""The guinea pig: a full-screen program that draws its frame number and logs its input.

Usage: lab_client.py still|counter|box EVENTS. Writes one JSON object a line to EVENTS.
"""

import json
import mmap
import os
import signal
import sys
import time
from typing import Any

import numpy as np
from pywayland.client import Display
from pywayland.protocol.wayland import WlCompositor, WlSeat, WlShm
from pywayland.protocol.xdg_shell import XdgWmBase

CELL = 16
BOX = 64


class Buffer:
    def __init__(self, shm: Any, width: int, height: int) -> None:
        size = width * height * 4
        fd = os.memfd_create("guinea-pig")
        os.ftruncate(fd, size)
        self.pixels = np.frombuffer(mmap.mmap(fd, size), np.uint32).reshape(height, width)
        pool = shm.create_pool(fd, size)
        self.proxy = pool.create_buffer(0, width, height, width * 4, WlShm.format.xrgb8888.value)
        pool.destroy()
        os.close(fd)
        self.busy = False
        self.proxy.dispatcher["release"] = self._released

    def _released(self, _: Any) -> None:
        self.busy = False


class Client:
    def __init__(self, drawing: str, events: Any) -> None:
        self.drawing, self.log_file = drawing, events
        self.display = Display()
        self.display.connect()
        self.registry = self.display.get_registry()
        self.globals: dict[str, Any] = {}
        self.registry.dispatcher["global"] = self.on_global
        self.display.roundtrip()
        self.width = self.height = 0
        self.shown = (0, 0)
        self.buffers: list[Buffer] = []
        self.old: list[Buffer] = []
        self.number = 0
        self.running = True
        self.wants_frame = False
        self.pointer = self.keyboard = self.callback = None
        seat = self.globals["wl_seat"]
        seat.dispatcher["capabilities"] = self.on_capabilities
        base = self.globals["xdg_wm_base"]
        base.dispatcher["ping"] = lambda proxy, serial: proxy.pong(serial)
        self.surface = self.globals["wl_compositor"].create_surface()
        self.xdg_surface = base.get_xdg_surface(self.surface)
        self.toplevel = self.xdg_surface.get_toplevel()
        self.toplevel.dispatcher["configure"] = self.on_size
        self.toplevel.dispatcher["close"] = lambda _: self.stop()
        self.xdg_surface.dispatcher["configure"] = self.on_configure
        # Compositors may tell the full-screen size only once there is something to show.
        self.wanted = (320, 240)
        self.toplevel.set_fullscreen(None)
        self.surface.commit()

    def log(self, kind: str, **fields: object) -> None:
        print(json.dumps({"kind": kind, "t": time.monotonic(), **fields}), file=self.log_file)

    def stop(self) -> None:
        self.running = False

    def on_global(self, registry: Any, name: int, interface: str, version: int) -> None:
        for wanted, most in ((WlCompositor, 4), (WlShm, 1), (WlSeat, 5), (XdgWmBase, 1)):
            if interface == wanted.name:
                self.globals[interface] = registry.bind(name, wanted, min(version, most))

    def on_capabilities(self, seat: Any, capabilities: int) -> None:
        if capabilities & 1 and self.pointer is None:
            self.pointer = seat.get_pointer()
            on = self.pointer.dispatcher
            on["enter"] = lambda _, s, f, x, y: self.log("enter", x=x, y=y)
            on["motion"] = lambda _, t, x, y: self.log("motion", x=x, y=y)
            on["button"] = lambda _, s, t, b, st: self.log("button", button=b, state=int(st))
            on["axis"] = lambda _, t, axis, value: self.log("axis", axis=int(axis), value=value)
            on["axis_discrete"] = lambda _, axis, n: self.log("notches", axis=int(axis), n=n)
        if capabilities & 2 and self.keyboard is None:
            self.keyboard = seat.get_keyboard()
            on = self.keyboard.dispatcher
            on["keymap"] = self.on_keymap
            on["enter"] = lambda *_: self.log("focus")
            on["key"] = lambda _, s, t, key, st: self.log("key", key=key, state=int(st))
            on["modifiers"] = lambda _, s, d, la, lo, g: self.log(
                "modifiers", depressed=d, locked=lo
            )

    def on_keymap(self, _: Any, keymap_format: int, fd: int, size: int) -> None:
        os.close(fd)
        self.log("keymap", size=size)

    def on_size(self, _: Any, width: int, height: int, states: Any) -> None:
        if width and height:
            self.wanted = (width, height)

    def on_configure(self, xdg_surface: Any, serial: int) -> None:
        xdg_surface.ack_configure(serial)
        if self.wanted != (self.width, self.height):
            self.width, self.height = self.wanted
            self.old += self.buffers
            self.buffers = [
                Buffer(self.globals["wl_shm"], self.width, self.height) for _ in range(3)
            ]
            # Quarters of red, green, blue and grey.
            for buffer in self.buffers:
                half_x, half_y = self.width // 2, self.height // 2
                buffer.pixels[:half_y, :half_x] = 0xC00000
                buffer.pixels[:half_y, half_x:] = 0x00C000
                buffer.pixels[half_y:, :half_x] = 0x0000C0
                buffer.pixels[half_y:, half_x:] = 0x808080
            self.wants_frame = True
            self.log("size", width=self.width, height=self.height)

    def draw(self) -> None:
        buffer = next((buffer for buffer in self.buffers if not buffer.busy), None)
        if buffer is None:
            return
        self.wants_frame = False
        if self.drawing != "still":
            self.number = (self.number + 1) & 0xFFFF
        for bit in range(16):
            cell = slice(bit * CELL, (bit + 1) * CELL)
            buffer.pixels[:CELL, cell] = 0xFFFFFF if self.number >> bit & 1 else 0
        if self.drawing == "box":
            x = self.number * 4 % (self.width - BOX)
            buffer.pixels[CELL : CELL + BOX] = 0
            buffer.pixels[CELL : CELL + BOX, x : x + BOX] = 0xFFFFFF
        buffer.busy = True
        self.surface.attach(buffer.proxy, 0, 0)
        self.surface.damage_buffer(0, 0, self.width, self.height)
        self.callback = self.surface.frame()
        self.callback.dispatcher["done"] = self.on_frame
        self.surface.commit()

    def on_frame(self, _: Any, time_ms: int) -> None:
        if self.shown != (self.width, self.height):
            self.shown = (self.width, self.height)
            self.log("shown", width=self.width, height=self.height)
        self.wants_frame = self.drawing != "still"

    def run(self) -> None:
        while self.running:
            if self.wants_frame:
                self.draw()
            try:
                self.display.dispatch(block=True)
            except RuntimeError:
                break


def main() -> None:
    with open(sys.argv[2], "w", buffering=1) as events:  # noqa: PTH123
        client = Client(sys.argv[1], events)
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        client.run()
        # Destroying a dead compositor's objects one by one is not worth it here.
        os._exit(0)


if __name__ == "__main__":
    main()
