"""The guinea pig: a program that fills the screen, draws its frame number and logs its input.

Usage: lab_client.py still|counter|box EVENTS. Writes one JSON object a line to EVENTS.
"""

import json
import os
import select
import signal
import sys
import time
from typing import Any

import xcffib
import xcffib.xproto
from xcffib.xproto import CW, GC, EventMask

CELL = 16
BOX = 64
RATE_HZ = 60

_EVENTS = (
    EventMask.KeyPress
    | EventMask.KeyRelease
    | EventMask.ButtonPress
    | EventMask.ButtonRelease
    | EventMask.PointerMotion
    | EventMask.StructureNotify
    | EventMask.Exposure
    | EventMask.FocusChange
)


class Client:
    def __init__(self, drawing: str, events: Any) -> None:
        self.drawing, self.log_file = drawing, events
        self.x = xcffib.connect()
        screen = self.x.setup.roots[0]
        self.width, self.height = screen.width_in_pixels, screen.height_in_pixels
        self.window, self.gc = self.x.generate_id(), self.x.generate_id()
        kind = xcffib.xproto.WindowClass.InputOutput
        place = (0, 0, self.width, self.height, 0)
        values = [0, _EVENTS]
        self.x.core.CreateWindow(
            *(screen.root_depth, self.window, screen.root, *place, kind, screen.root_visual),
            *(CW.BackPixel | CW.EventMask, values),
        )
        self.x.core.CreateGC(self.gc, self.window, GC.Foreground, [0])
        self.x.core.MapWindow(self.window)
        self.x.flush()
        self.number, self.visible = 0, False

    def log(self, kind: str, **fields: object) -> None:
        print(json.dumps({"kind": kind, "t": time.monotonic(), **fields}), file=self.log_file)

    def fill(self, colour: int, *place: int) -> None:
        self.x.core.ChangeGC(self.gc, GC.Foreground, [colour])
        rectangle = xcffib.xproto.RECTANGLE.synthetic(*place)
        self.x.core.PolyFillRectangle(self.window, self.gc, 1, [rectangle])

    def draw_quarters(self) -> None:
        half_x, half_y = self.width // 2, self.height // 2
        for colour, x, y in (
            (0xC00000, 0, 0),
            (0x00C000, half_x, 0),
            (0x0000C0, 0, half_y),
            (0x808080, half_x, half_y),
        ):
            self.fill(colour, x, y, half_x, half_y)

    def draw(self) -> None:
        if self.drawing != "still":
            self.number = (self.number + 1) & 0xFFFF
        if self.drawing == "whole":
            self.fill(0x010101 * (self.number & 0xFF), 0, 0, self.width, self.height)
        for bit in range(16):
            colour = 0xFFFFFF if self.number >> bit & 1 else 0
            self.fill(colour, bit * CELL, 0, CELL, CELL)
        if self.drawing == "box":
            x = self.number * 4 % (self.width - BOX)
            self.fill(0, 0, CELL, self.width, BOX)
            self.fill(0xFFFFFF, x, CELL, BOX, BOX)
        self.x.flush()

    def handle(self, event: Any) -> None:
        match event:
            case xcffib.xproto.ExposeEvent():
                self.visible = True
                self.draw_quarters()
                self.draw()
                self.x.core.GetInputFocus().reply()
                self.log("shown", width=self.width, height=self.height)
            case xcffib.xproto.ConfigureNotifyEvent():
                if (event.width, event.height) != (self.width, self.height):
                    self.width, self.height = event.width, event.height
                    self.draw_quarters()
                    self.draw()
                    self.log("size", width=self.width, height=self.height)
            case xcffib.xproto.FocusInEvent():
                self.log("focus")
            # A subclass has its kind's pattern, too: releases come first.
            case xcffib.xproto.KeyReleaseEvent():
                self.log("key", key=event.detail - 8, state=0, modifiers=event.state & 0xFF)
            case xcffib.xproto.KeyPressEvent():
                self.log("key", key=event.detail - 8, state=1, modifiers=event.state & 0xFF)
            case xcffib.xproto.ButtonReleaseEvent():
                self.log("button", button=event.detail, state=0)
            case xcffib.xproto.ButtonPressEvent():
                self.log("button", button=event.detail, state=1, x=event.root_x, y=event.root_y)
            case xcffib.xproto.MotionNotifyEvent():
                self.log("motion", x=event.root_x, y=event.root_y)

    def run(self) -> None:
        next_s = time.monotonic()
        while True:
            while (event := self.x.poll_for_event()) is not None:
                self.handle(event)
            timeout_s = None
            if self.visible and self.drawing != "still":
                if time.monotonic() >= next_s:
                    self.draw()
                    next_s = max(next_s + 1 / RATE_HZ, time.monotonic())
                timeout_s = max(0.0, next_s - time.monotonic())
            select.select([self.x.get_file_descriptor()], [], [], timeout_s)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    with open(sys.argv[2], "w", buffering=1) as events:  # noqa: PTH123
        try:
            Client(sys.argv[1], events).run()
        except xcffib.ConnectionException:
            os._exit(0)


if __name__ == "__main__":
    main()
