"""Everything a plugin author needs. Plugins import this module and nothing else of ours,
apart from `punktfunk.testing` in their tests.
"""

from punktfunk.dbus import Bus, BusError, Signals
from punktfunk.drivers.audio import AudioDriver, AudioEncodeDriver, Samples
from punktfunk.drivers.base import Driver
from punktfunk.drivers.capture import CaptureDriver
from punktfunk.drivers.compositor import CompositorDriver, Display
from punktfunk.drivers.encode import EncodeDriver
from punktfunk.drivers.gamepad import GamepadDriver
from punktfunk.drivers.input import InputDriver
from punktfunk.drivers.seat import Seat, SeatProcess
from punktfunk.drivers.xwayland import remove_x11_display, x11_display_of
from punktfunk.errors import (
    DisplayWithdrawn,
    DriverFailed,
    DriverUnavailable,
    LeftAlone,
    PunktfunkError,
)
from punktfunk.hookspecs.markers import hookimpl
from punktfunk.journal import change_file, compare_and_restore
from punktfunk.model.apps import App, LaunchSpec
from punktfunk.model.audio import (
    LAYOUTS,
    SAMPLE_RATE_HZ,
    STEREO,
    SURROUND_51,
    SURROUND_71,
    ChannelLayout,
    OpusParams,
    Speaker,
)
from punktfunk.model.events import Event
from punktfunk.model.feedback import (
    AdaptiveTriggers,
    Feedback,
    HdrMode,
    MotionRequest,
    RgbLed,
    Rumble,
    TriggerEffect,
    TriggerRumble,
)
from punktfunk.model.frames import Area, Frame, Plane
from punktfunk.model.games import Artwork, GameEntry, LaunchTarget
from punktfunk.model.input import (
    ButtonEvent,
    ContactKind,
    EnableHaptics,
    InputEvent,
    KeyEvent,
    Modifiers,
    PadArrival,
    PadBattery,
    PadEvent,
    PadMotion,
    PadRemoved,
    PadState,
    PadTouch,
    PenEvent,
    PointerButton,
    PointerMotion,
    PointerPosition,
    ScrollEvent,
    TextEvent,
    TouchEvent,
)
from punktfunk.model.offers import Availability, HostFacts, Kind, Offer
from punktfunk.model.pads import BatteryState, MotionKind, PadButtons, PadCapabilities, PadType
from punktfunk.model.plugins import API_VERSION, SUPPORTED_APIS, Effect, Manifest, Setting
from punktfunk.model.video import (
    Codec,
    ColorSpace,
    ColorSpec,
    EncodedFrame,
    EncodeParams,
    PixelFormat,
    VideoMode,
)
from punktfunk.pipewire import PipeWireServer, PipeWireVideo, pipewire_availability

__all__ = [
    "API_VERSION",
    "LAYOUTS",
    "SAMPLE_RATE_HZ",
    "STEREO",
    "SUPPORTED_APIS",
    "SURROUND_51",
    "SURROUND_71",
    "AdaptiveTriggers",
    "App",
    "Area",
    "Artwork",
    "AudioDriver",
    "AudioEncodeDriver",
    "Availability",
    "BatteryState",
    "Bus",
    "BusError",
    "ButtonEvent",
    "CaptureDriver",
    "ChannelLayout",
    "Codec",
    "ColorSpace",
    "ColorSpec",
    "CompositorDriver",
    "ContactKind",
    "Display",
    "DisplayWithdrawn",
    "Driver",
    "DriverFailed",
    "DriverUnavailable",
    "Effect",
    "EnableHaptics",
    "EncodeDriver",
    "EncodeParams",
    "EncodedFrame",
    "Event",
    "Feedback",
    "Frame",
    "GameEntry",
    "GamepadDriver",
    "HdrMode",
    "HostFacts",
    "InputDriver",
    "InputEvent",
    "KeyEvent",
    "Kind",
    "LaunchSpec",
    "LaunchTarget",
    "LeftAlone",
    "Manifest",
    "Modifiers",
    "MotionKind",
    "MotionRequest",
    "Offer",
    "OpusParams",
    "PadArrival",
    "PadBattery",
    "PadButtons",
    "PadCapabilities",
    "PadEvent",
    "PadMotion",
    "PadRemoved",
    "PadState",
    "PadTouch",
    "PadType",
    "PenEvent",
    "PipeWireServer",
    "PipeWireVideo",
    "PixelFormat",
    "Plane",
    "PointerButton",
    "PointerMotion",
    "PointerPosition",
    "PunktfunkError",
    "RgbLed",
    "Rumble",
    "Samples",
    "ScrollEvent",
    "Seat",
    "SeatProcess",
    "Setting",
    "Signals",
    "Speaker",
    "TextEvent",
    "TouchEvent",
    "TriggerEffect",
    "TriggerRumble",
    "VideoMode",
    "change_file",
    "compare_and_restore",
    "hookimpl",
    "pipewire_availability",
    "remove_x11_display",
    "x11_display_of",
]
