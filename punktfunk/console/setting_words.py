"""What settings and their values are called, on every page that shows some."""

from collections.abc import Mapping
from types import MappingProxyType

from punktfunk.console.language import _
from punktfunk.console.shell import N_

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "host.name": N_("Name"),
        "host.bind": N_("Address for devices"),
        "host.base_port": N_("First port for devices"),
        "host.mdns": N_("Announce it"),
        "host.log_level": N_("How much is logged"),
        "mgmt.bind": N_("Address of the console"),
        "mgmt.names": N_("Further names"),
        "mgmt.public_url": N_("Address at the proxy"),
        "mgmt.tls_own": N_("HTTPS with its own certificate"),
        "mgmt.tls_cert": N_("Certificate"),
        "mgmt.tls_key": N_("Key of the certificate"),
        "stream.max_sessions": N_("Devices at the same time"),
        "stream.max_width": N_("Widest picture"),
        "stream.max_height": N_("Highest picture"),
        "stream.max_fps": N_("Most pictures a second"),
        "stream.max_bitrate_kbps": N_("Highest bit rate"),
        "stream.fec_percent": N_("Error correction"),
        "stream.encryption": N_("Encryption"),
        "stream.codecs": N_("Codecs"),
        "stream.second_client": N_("When another device plays the app already"),
        "stream.guests": N_("A device that has joined may"),
        "stream.inhibit_idle": N_("Keep the machine awake"),
        "desktop.enabled": N_("Offer the desktop"),
        "desktop.mode": N_("Where apps appear"),
        "desktop.command": N_("Program on the desktop"),
        "test_pattern.enabled": N_("Offer the test pattern"),
        "drivers.compositor": N_("Compositors"),
        "drivers.capture": N_("Captures"),
        "drivers.encode": N_("Encoders"),
        "drivers.audio": N_("Sound sources"),
        "drivers.input": N_("Inputs"),
        "drivers.gamepad": N_("Gamepads"),
        "plugins.allow": N_("Only these"),
        "plugins.deny": N_("Never these"),
    }
)
"""Every setting by a name of its own; a test holds this to the catalogue."""

_VALUES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "host.log_level": {
            "debug": N_("Everything"),
            "info": N_("From info up"),
            "warning": N_("From warnings up"),
            "error": N_("Errors only"),
        },
        "stream.codecs": {"h264": "H.264", "hevc": "H.265", "av1": "AV1"},
        "stream.encryption": {
            "client": N_("When the device asks for it"),
            "remote": N_("Always outside the local network"),
            "always": N_("Always"),
        },
        "stream.second_client": {
            "own": N_("A session of its own"),
            "join": N_("Join it"),
            "take_over": N_("Take its place"),
            "refuse": N_("Refuse, and say who plays"),
        },
        "stream.guests": {"play": N_("Play"), "watch": N_("Only watch")},
        "desktop.mode": {
            "own": N_("On a display of their own"),
            "attach": N_("On the desktop of this machine"),
        },
    }
)
_UNITS: Mapping[str, str] = MappingProxyType(
    {"_width": "px", "_height": "px", "_fps": "fps", "_kbps": "kbit/s", "_percent": "%"}
)


def unit_of(key: str) -> str:
    return next((unit for end, unit in _UNITS.items() if key.endswith(end)), "")


def value_in_words(key: str, value: str) -> str:
    """What one of a setting's choices is called; other values stay as they are."""
    words = _VALUES.get(key, {})
    return _(words[value]) if value in words else value
