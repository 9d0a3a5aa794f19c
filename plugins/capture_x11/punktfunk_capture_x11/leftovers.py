"""What input leaves on a server that is not ours: keys that are down, keys that type text.

The server keeps both when their connection ends, also when the host is killed.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence

import xcffib
import xcffib.xinput
import xcffib.xtest

from punktfunk.plugin import DriverFailed, DriverUnavailable, Effect
from punktfunk_capture_x11.connection import Connection

EFFECT = "x11.input"

_KEY_RELEASE, _BUTTON_RELEASE = 3, 5
_KEYS, _BUTTONS = 0, 1
_CLASS = struct.Struct("=BBB")
_CLASSES_AT = 32
_STATE_AT = 4
_XTEST_DEVICES = ("XTEST keyboard", "XTEST pointer")


def input_effect(environment: Mapping[str, str], spare: Sequence[int]) -> Effect:
    """What to write down before the first key is pressed on a server of somebody else's."""
    return Effect(
        kind=EFFECT,
        data={
            "display": environment["DISPLAY"],
            "authority": environment.get("XAUTHORITY", ""),
            "spare": ",".join(str(code) for code in spare),
        },
        until_reboot=True,
    )


def undo_input(effect: Effect) -> bool:
    """Let go of what is down on the test devices, and make text keys mean nothing again.

    A server that is gone has taken both with it. The person's own devices are not touched.
    """
    names = {"DISPLAY": "display", "XAUTHORITY": "authority"}
    environment = {name: str(effect.data.get(key, "")) for name, key in names.items()}
    spare = [int(code) for code in str(effect.data.get("spare", "")).split(",") if code.isdigit()]
    try:
        connection = Connection({name: it for name, it in environment.items() if it})
    except (DriverFailed, ValueError):
        return True
    try:
        _let_go(connection)
        leave_no_text(connection, spare)
        connection.sync()
    except (DriverFailed, DriverUnavailable, xcffib.Error):
        return False
    finally:
        connection.close()
    return True


def leave_no_text(connection: Connection, spare: Iterable[int]) -> None:
    """Make those of these keys mean nothing again that `Keyboard.type` has given a meaning.

    It gives one character on two levels; what looks otherwise is somebody else's by now.
    """
    for code in spare:
        answer = connection.reply(connection.core.GetKeyboardMapping(code, 1))
        meanings = [int(keysym) for keysym in answer.keysyms]
        if any(meanings) and meanings[:1] == meanings[1:2] and set(meanings) <= {0, meanings[0]}:
            connection.core.ChangeKeyboardMapping(1, code, 1, [0])


def _let_go(connection: Connection) -> None:
    test = connection.extension(xcffib.xtest, 2, 2)
    for device in _test_devices(connection):
        for kind, number in _down(connection, device):
            release = _KEY_RELEASE if kind == _KEYS else _BUTTON_RELEASE
            test.FakeInput(release, number, 0, connection.root, 0, 0, 0)


def _test_devices(connection: Connection) -> list[int]:
    devices = connection.extension(xcffib.xinput, 2, 2)
    return [
        it.deviceid
        for it in connection.reply(devices.XIQueryDevice(0)).infos
        if it.name.to_string().endswith(_XTEST_DEVICES)
    ]


def _down(connection: Connection, device: int) -> Iterable[tuple[int, int]]:
    devices = connection.extension(xcffib.xinput, 2, 2)
    answer = connection.reply_bytes(devices.QueryDeviceState(device))
    place = _CLASSES_AT
    while place + _CLASS.size <= len(answer):
        kind, length, count = _CLASS.unpack_from(answer, place)
        if kind in (_KEYS, _BUTTONS):
            bits = int.from_bytes(answer[place + _STATE_AT : place + length], "little")
            yield from ((kind, number) for number in range(count) if bits >> number & 1)
        place += max(length, _CLASS.size)
