"""Game pads: their buttons, kinds and abilities, in the wire's numbers.

Pads are numbered 0 to 15 and keep their number in both directions.
"""

from enum import Enum, IntFlag

MAX_PADS = 16


class PadButtons(IntFlag):
    NONE = 0
    UP = 0x1
    DOWN = 0x2
    LEFT = 0x4
    RIGHT = 0x8
    START = 0x10
    BACK = 0x20
    LEFT_STICK = 0x40
    RIGHT_STICK = 0x80
    LEFT_SHOULDER = 0x100
    RIGHT_SHOULDER = 0x200
    GUIDE = 0x400
    A = 0x1000
    B = 0x2000
    X = 0x4000
    Y = 0x8000
    PADDLE1 = 0x1_0000
    PADDLE2 = 0x2_0000
    PADDLE3 = 0x4_0000
    PADDLE4 = 0x8_0000
    TOUCHPAD = 0x10_0000
    MISC = 0x20_0000


class PadCapabilities(IntFlag):
    NONE = 0
    ANALOG_TRIGGERS = 0x1
    RUMBLE = 0x2
    TRIGGER_RUMBLE = 0x4
    TOUCHPAD = 0x8
    ACCELEROMETER = 0x10
    GYRO = 0x20
    BATTERY = 0x40
    RGB_LED = 0x80
    TWO_TOUCHPADS = 0x100


class PadType(Enum):
    UNKNOWN = 0
    XBOX = 1
    PLAYSTATION = 2
    NINTENDO = 3
    STEAM = 4


class MotionKind(Enum):
    ACCELEROMETER = 1
    GYRO = 2


class BatteryState(Enum):
    UNKNOWN = 0
    NONE = 1
    DISCHARGING = 2
    CHARGING = 3
    NOT_CHARGING = 4
    FULL = 5
