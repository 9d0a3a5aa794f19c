"""Every setting there is, with its default. Change a default here and nowhere else."""

from collections.abc import Mapping
from typing import Any

import attrs
from attrs.validators import deep_iterable, ge, in_, instance_of, le

from punktfunk.model.video import Codec

MGMT_PORT = 47_990
GAMESTREAM_BASE_PORT = 47_989


def _setting(doc: str, default: Any, *validators: Any, restart: bool = True) -> Any:
    """A field with what `punktfunk config` says about it."""
    checks = [instance_of(type(default)), *validators]
    return attrs.field(default=default, validator=checks, metadata={"doc": doc, "restart": restart})


def _strings(doc: str, default: tuple[str, ...] = (), choices: tuple[str, ...] = ()) -> Any:
    member = [instance_of(str)] + ([in_(choices)] if choices else [])
    return attrs.field(
        default=default,
        converter=tuple,
        validator=deep_iterable(attrs.validators.and_(*member), instance_of(tuple)),
        metadata={"doc": doc, "restart": True},
    )


_CODECS = tuple(codec.value for codec in Codec)


@attrs.frozen(kw_only=True)
class HostSettings:
    """`[host]`: who we are and where we listen."""

    name: str = _setting("Name shown to clients; empty takes the machine's.", "")
    bind: str = _setting(
        "Address for clients (nvhttp, RTSP, media); empty means all interfaces.", ""
    )
    base_port: int = _setting(
        "Plain HTTP port; all other ports for clients move with it.",
        GAMESTREAM_BASE_PORT,
        ge(1_029),
        le(65_000),
    )
    mdns: bool = _setting("Announce this host on the local network.", True)
    log_level: str = _setting(
        "How much is logged.", "info", in_(("debug", "info", "warning", "error"))
    )


@attrs.frozen(kw_only=True)
class MgmtSettings:
    """`[mgmt]`: the management API and the web console."""

    bind: str = _setting(
        "ADDRESS:PORT. Anything but loopback needs tls_cert and tls_key, or tls_own.",
        f"127.0.0.1:{MGMT_PORT}",
    )
    tls_own: bool = _setting("Serve HTTPS with the host's own certificate.", False)
    tls_cert: str = _setting("PEM file of a certificate to serve HTTPS with.", "")
    tls_key: str = _setting("PEM file of its key.", "")


@attrs.frozen(kw_only=True)
class StreamSettings:
    """`[stream]`: what clients may ask for."""

    max_sessions: int = _setting("Clients that may play at the same time.", 2, ge(1), le(16))
    max_width: int = _setting("Widest picture, pixels.", 7_680, ge(64), le(16_384))
    max_height: int = _setting("Highest picture, pixels.", 4_320, ge(64), le(16_384))
    max_fps: int = _setting("Most pictures a second.", 240, ge(1), le(1_000))
    max_bitrate_kbps: int = _setting("Most a stream may use.", 500_000, ge(500), le(1_000_000))
    fec_percent: int = _setting("Parity packets per 100 packets of picture.", 20, ge(0), le(255))
    encryption: str = _setting(
        "When picture and sound are encrypted although the client would not bother: "
        "'client' (never), 'remote' (outside the local network), 'always' (and refuse "
        "clients that cannot).",
        "remote",
        in_(("client", "remote", "always")),
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
