"""Another program that has a pad open: it tells what comes, and plays forces.

`python witness.py /dev/input/eventN`. Each event is a line of JSON, `[type, code, value]`; each
line on standard input is a call, `["rumble", strong, weak, length_ms, delay_ms, times]` and so
on, whose answer is a line with an object. Only the standard library: it knows nothing of ours.
"""

import fcntl
import json
import os
import select
import struct
import sys

_EVENT = struct.Struct("@llHHi")
_ABS = struct.Struct("@6i")
_KEY_BYTES, _MAX_ABS = 96, 0x40
_EV_FF, _FF_RUMBLE, _FF_GAIN = 0x15, 0x50, 0x60
_EFFECT_BYTES = 48


def _ioctl(direction: int, number: int, size: int) -> int:
    return direction << 30 | size << 16 | ord("E") << 8 | number


def state(fd: int) -> dict:
    """What is pressed, and where the axes are: value, least, most, fuzz, flat, resolution."""
    keys = fcntl.ioctl(fd, _ioctl(2, 0x18, _KEY_BYTES), bytes(_KEY_BYTES))
    has = fcntl.ioctl(fd, _ioctl(2, 0x20 + 0x03, _MAX_ABS // 8), bytes(_MAX_ABS // 8))
    axes = {
        code: _ABS.unpack(fcntl.ioctl(fd, _ioctl(2, 0x40 + code, _ABS.size), bytes(_ABS.size)))
        for code in range(_MAX_ABS)
        if has[code // 8] >> code % 8 & 1
    }
    return {
        "keys": [at for at in range(_KEY_BYTES * 8) if keys[at // 8] >> at % 8 & 1],
        "axes": axes,
    }


def rumble(fd: int, strong: int, weak: int, length_ms: int, delay_ms: int, times: int) -> dict:
    effect = bytearray(_EFFECT_BYTES)
    struct.pack_into("@HhHHHHH", effect, 0, _FF_RUMBLE, -1, 0, 0, 0, length_ms, delay_ms)
    struct.pack_into("@HH", effect, 16, strong, weak)
    fcntl.ioctl(fd, _ioctl(1, 0x80, _EFFECT_BYTES), effect, True)
    (number,) = struct.unpack_from("@h", effect, 2)
    play(fd, number, times)
    return {"effect": number}


def play(fd: int, number: int, times: int) -> dict:
    os.write(fd, _EVENT.pack(0, 0, _EV_FF, number, times))
    return {}


def gain(fd: int, value: int) -> dict:
    return play(fd, _FF_GAIN, value)


def erase(fd: int, number: int) -> dict:
    fcntl.ioctl(fd, _ioctl(1, 0x81, struct.calcsize("i")), number)
    return {}


def main() -> None:
    fd = os.open(sys.argv[1], os.O_RDWR | os.O_NONBLOCK)
    calls = {call.__name__: call for call in (state, rumble, play, gain, erase)}
    print(json.dumps({"open": True}), flush=True)
    while True:
        ready, _, _ = select.select([fd, sys.stdin], [], [])
        if sys.stdin in ready:
            line = sys.stdin.readline()
            if not line:
                return
            name, *arguments = json.loads(line)
            print(json.dumps(calls[name](fd, *arguments)), flush=True)
        if fd in ready:
            try:
                data = os.read(fd, 64 * _EVENT.size)
            except OSError:
                print(json.dumps({"gone": True}), flush=True)
                return
            for event in _EVENT.iter_unpack(data):
                print(json.dumps(event[2:]), flush=True)


if __name__ == "__main__":
    main()
