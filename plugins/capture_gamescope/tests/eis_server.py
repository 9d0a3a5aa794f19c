"""A server for emulated input. Writes down what it is told, obeys commands on standard input.

Usage: eis_server.py SOCKET EVENTS [KIND]

EVENTS is a file of one JSON object a line. KIND `one` is gamescope's: one device, which can
everything but touch and whose region is the whole world. `many` has devices of their own for
pointer, keyboard and touch, and two screens, of which the second is called `right`. Commands, a
line each: `pause`, `resume`, `remove`, `quit`. KIND `silent` accepts nobody.
"""

import json
import select
import sys
from pathlib import Path
from typing import Any

from libei import eis
from libei.eis import ConfigureRegion, DeviceCapability, EventType

POINTERS = (
    DeviceCapability.POINTER,
    DeviceCapability.POINTER_ABSOLUTE,
    DeviceCapability.BUTTON,
    DeviceCapability.SCROLL,
)
KEYS, TOUCH = (DeviceCapability.KEYBOARD,), (DeviceCapability.TOUCH,)
WORLD = (ConfigureRegion((0, 0), (2**31 - 1, 2**31 - 1), mapping_id="everywhere"),)
SCREENS = (
    ConfigureRegion((0, 0), (800, 600), mapping_id="left"),
    ConfigureRegion((800, 100), (1_000, 500), mapping_id="right"),
)


class Server:
    def __init__(self, path: Path, events: Path, kind: str) -> None:
        self._eis = eis.Eis.create_for_socket(path)
        self._events, self._kind = events, kind
        self._devices: list[Any] = []
        self._kept: list[Any] = []

    def serve(self) -> None:
        self._write(kind="listening")
        watched: list[Any] = [self._eis.fd, sys.stdin]
        while True:
            for ready in select.select(watched, [], [])[0]:
                if ready is sys.stdin:
                    command = sys.stdin.readline().strip()
                    if command == "quit":
                        return
                    if not command:
                        watched.remove(sys.stdin)
                    for device in self._devices if command else ():
                        getattr(device, command)()
                elif self._kind != "silent":
                    self._eis.dispatch()
                    for event in self._eis.events:
                        self._handle(event)

    def _handle(self, event: Any) -> None:
        match event.event_type:
            case EventType.CLIENT_CONNECT:
                event.client.connect()
                seat = event.client.new_seat("seat")
                able = POINTERS + KEYS + (TOUCH if self._kind == "many" else ())
                self._kept += [event.client, seat.configure_capabilities(able).add()]
            case EventType.CLIENT_DISCONNECT:
                self._write(kind="left")
                self._devices = []
            case EventType.SEAT_BIND if not self._devices:
                groups = [POINTERS, KEYS, TOUCH] if self._kind == "many" else [POINTERS + KEYS]
                regions = SCREENS if self._kind == "many" else WORLD
                for able in groups:
                    device = event.seat.new_device()
                    device.configure("device", capabilities=able, regions=regions)
                    self._devices.append(device.add().resume())
            case EventType.POINTER_MOTION:
                self._write(kind="motion", x=event.pointer_event.dx, y=event.pointer_event.dy)
            case EventType.POINTER_MOTION_ABSOLUTE:
                at = event.pointer_absolute_event
                self._write(kind="position", x=at.x, y=at.y)
            case EventType.BUTTON_BUTTON:
                button = event.button_event
                self._write(kind="button", code=button.button, pressed=button.is_press)
            case EventType.KEYBOARD_KEY:
                key = event.key_event
                self._write(kind="key", code=key.key, pressed=key.is_press)
            case EventType.SCROLL_DISCRETE:
                turned = event.scroll_discrete_event
                self._write(kind="scroll", x=turned.dx, y=turned.dy)
            case EventType.TOUCH_DOWN | EventType.TOUCH_MOTION:
                finger, down = event.touch_event, event.event_type == EventType.TOUCH_DOWN
                self._write(kind="down" if down else "drag", x=finger.x, y=finger.y)
            case EventType.TOUCH_UP:
                self._write(kind="up")
            case EventType.FRAME:
                self._write(kind="frame")

    def _write(self, **event: object) -> None:
        with self._events.open("a") as file:
            file.write(json.dumps(event) + "\n")


if __name__ == "__main__":
    Server(Path(sys.argv[1]), Path(sys.argv[2]), *(sys.argv[3:] or ["one"])).serve()
