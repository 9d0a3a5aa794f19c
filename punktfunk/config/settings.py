"""Every setting there is, with its default. Change a default here and nowhere else."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from punktfunk.config.addresses import is_address_or_empty, is_bind
from punktfunk.config.rules import Rule
from punktfunk.model.video import Codec

MGMT_PORT = 47_990
GAMESTREAM_BASE_PORT = 47_989
MAX_NAME_BYTES = 63
"""What one label of a DNS name, and so an mDNS instance name, can hold."""


def _setting(
    doc: str,
    default: Any,
    *,
    least: int | None = None,
    most: int | None = None,
    choices: tuple[str, ...] = (),
    test: Callable[[Any], bool] | None = None,
    form: str = "",
) -> Any:
    """A field with what `punktfunk config` says about it."""
    rule = Rule(type=type(default), least=least, most=most, choices=choices, test=test, form=form)
    return attrs.field(default=default, validator=rule, metadata={"doc": doc, "rule": rule})


def _strings(doc: str, default: tuple[str, ...] = (), choices: tuple[str, ...] = ()) -> Any:
    rule = Rule(type=tuple, choices=choices)
    metadata = {"doc": doc, "rule": rule}
    return attrs.field(default=default, converter=tuple, validator=rule, metadata=metadata)


def _is_name(text: str) -> bool:
    return len(text.encode()) <= MAX_NAME_BYTES and (not text or text.isprintable())


_CODECS = tuple(codec.value for codec in Codec)


@attrs.frozen(kw_only=True)
class HostSettings:
    """`[host]`: who we are and where we listen."""

    name: str = _setting(
        "Name shown to clients; empty takes the machine's.",
        "",
        test=_is_name,
        form=f"a string of at most {MAX_NAME_BYTES} bytes without control characters",
    )
    bind: str = _setting(
        "Address for clients (nvhttp, RTSP, media); empty means all interfaces.",
        "",
        test=is_address_or_empty,
        form="an IP address, or empty",
    )
    base_port: int = _setting(
        "Plain HTTP port; all other ports for clients move with it.",
        GAMESTREAM_BASE_PORT,
        least=1_029,
        most=65_000,
    )
    mdns: bool = _setting("Announce this host on the local network.", True)
    log_level: str = _setting(
        "How much is logged.", "info", choices=("debug", "info", "warning", "error")
    )


@attrs.frozen(kw_only=True)
class MgmtSettings:
    """`[mgmt]`: the management API."""

    bind: str = _setting(
        "ADDRESS:PORT. Anything but loopback needs tls_cert and tls_key, or tls_own.",
        f"127.0.0.1:{MGMT_PORT}",
        test=is_bind,
        form="ADDRESS:PORT, such as 127.0.0.1:47990 or [::1]:47990",
    )
    names: tuple[str, ...] = _strings(
        "Further host names it may be called by, such as the name in your certificate."
    )
    tls_own: bool = _setting("Serve HTTPS with the host's own certificate.", False)
    tls_cert: str = _setting("PEM file of a certificate to serve HTTPS with.", "")
    tls_key: str = _setting("PEM file of its key.", "")


@attrs.frozen(kw_only=True)
class StreamSettings:
    """`[stream]`: what clients may ask for."""

    max_sessions: int = _setting("Clients that may play at the same time.", 2, least=1, most=16)
    max_width: int = _setting("Widest picture, pixels.", 7_680, least=64, most=16_384)
    max_height: int = _setting("Highest picture, pixels.", 4_320, least=64, most=16_384)
    max_fps: int = _setting("Most pictures a second.", 240, least=1, most=1_000)
    max_bitrate_kbps: int = _setting("Most a stream may use.", 500_000, least=500, most=1_000_000)
    fec_percent: int = _setting("Parity packets per 100 packets of picture.", 20, least=0, most=255)
    encryption: str = _setting(
        "When picture and sound are encrypted although the client would not bother: "
        "'client' (never), 'remote' (outside the local network), 'always' (and refuse "
        "clients that cannot).",
        "remote",
        choices=("client", "remote", "always"),
    )
    codecs: tuple[str, ...] = _strings(
        "Codecs to offer, of those that work here.", _CODECS, _CODECS
    )


@attrs.frozen(kw_only=True)
class DesktopSettings:
    """`[desktop]`: the app called Desktop."""

    enabled: bool = _setting("Offer it.", True)
    command: tuple[str, ...] = _strings(
        "Program and arguments to start on it; empty takes the compositor's default."
    )


@attrs.frozen(kw_only=True)
class PatternSettings:
    """`[test_pattern]`: the app that shows a moving test card."""

    enabled: bool = _setting("Offer it.", True)


@attrs.frozen(kw_only=True)
class DriverSettings:
    """`[drivers]`: which of the available drivers to prefer, most wanted first."""

    compositor: tuple[str, ...] = _strings("Order of compositors.")
    capture: tuple[str, ...] = _strings("Order of captures.")
    encode: tuple[str, ...] = _strings("Order of encoders.")
    audio: tuple[str, ...] = _strings("Order of sound sources.")
    input: tuple[str, ...] = _strings("Order of inputs.")


@attrs.frozen(kw_only=True)
class PluginFilterSettings:
    """`[plugins]`: which plugins may run at all."""

    allow: tuple[str, ...] = _strings("Only these; empty means all that are installed.")
    deny: tuple[str, ...] = _strings("Never these.")


@attrs.frozen(kw_only=True)
class Settings:
    """All of it. `plugin` holds each `[plugin.NAME]` table as it stands in the file."""

    host: HostSettings = attrs.field(factory=HostSettings)
    mgmt: MgmtSettings = attrs.field(factory=MgmtSettings)
    stream: StreamSettings = attrs.field(factory=StreamSettings)
    desktop: DesktopSettings = attrs.field(factory=DesktopSettings)
    test_pattern: PatternSettings = attrs.field(factory=PatternSettings)
    drivers: DriverSettings = attrs.field(factory=DriverSettings)
    plugins: PluginFilterSettings = attrs.field(factory=PluginFilterSettings)
    plugin: Mapping[str, Mapping[str, object]] = attrs.field(factory=dict)
