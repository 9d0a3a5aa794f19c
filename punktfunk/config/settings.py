"""Every setting there is, with its default. Change a default here and nowhere else."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from punktfunk.config.addresses import is_address_or_empty, is_bind
from punktfunk.config.fields import entries, override, required, setting, strings
from punktfunk.config.web_addresses import is_public_url, is_web_address, without_path
from punktfunk.model.events import types_matching
from punktfunk.model.video import Codec

_CLIENT = re.compile(r"[0-9a-f]{8,64}")

MGMT_PORT = 47_990
GAMESTREAM_BASE_PORT = 47_989
MAX_NAME_BYTES = 63
"""What one label of a DNS name, and so an mDNS instance name, can hold."""


def _is_name(text: str) -> bool:
    return len(text.encode()) <= MAX_NAME_BYTES and (not text or text.isprintable())


def _are_events(patterns: Iterable[str]) -> bool:
    try:
        return bool(types_matching(patterns))
    except ValueError:
        return False


def _is_command(words: tuple[str, ...]) -> bool:
    return bool(words and words[0]) and "\0" not in "".join(words)


def _events() -> Any:
    form = "a list of events, such as session.started or stream.*"
    return required("Which events.", tuple, _are_events, form)


_CODECS = tuple(codec.value for codec in Codec)


@attrs.frozen(kw_only=True)
class HostSettings:
    """`[host]`: who we are and where we listen."""

    name: str = setting(
        "Name shown to clients; empty takes the machine's.",
        "",
        test=_is_name,
        form=f"a string of at most {MAX_NAME_BYTES} bytes without control characters",
    )
    bind: str = setting(
        "Address for clients (nvhttp, RTSP, media); empty means all interfaces.",
        "",
        test=is_address_or_empty,
        form="an IP address, or empty",
    )
    base_port: int = setting(
        "Plain HTTP port; all other ports for clients move with it.",
        GAMESTREAM_BASE_PORT,
        least=1_029,
        most=65_000,
    )
    mdns: bool = setting("Announce this host on the local network.", True)
    log_level: str = setting(
        "How much is logged.", "info", choices=("debug", "info", "warning", "error")
    )


@attrs.frozen(kw_only=True)
class MgmtSettings:
    """`[mgmt]`: the management API."""

    bind: str = setting(
        "ADDRESS:PORT. Anything but loopback needs tls_cert and tls_key, or tls_own.",
        f"127.0.0.1:{MGMT_PORT}",
        test=is_bind,
        form="ADDRESS:PORT, such as 127.0.0.1:47990 or [::1]:47990",
    )
    names: tuple[str, ...] = strings(
        "Further host names it may be called by, such as the name in your certificate."
    )
    public_url: str = setting(
        "Address at which a reverse proxy shows this host, such as "
        "https://home.example/punktfunk; empty for none.",
        "",
        test=is_public_url,
        form="an http or https address without user, query and fragment, whose path does not "
        "begin with /api or /metrics, or empty",
    )
    tls_own: bool = setting("Serve HTTPS with the host's own certificate.", False)
    tls_cert: str = setting("PEM file of a certificate to serve HTTPS with.", "")
    tls_key: str = setting("PEM file of its key.", "")


@attrs.frozen(kw_only=True)
class StreamSettings:
    """`[stream]`: what clients may ask for."""

    max_sessions: int = setting("Clients that may play at the same time.", 2, least=1, most=16)
    max_width: int = setting("Widest picture, pixels.", 7_680, least=64, most=16_384)
    max_height: int = setting("Highest picture, pixels.", 4_320, least=64, most=16_384)
    max_fps: int = setting("Most pictures a second.", 240, least=1, most=1_000)
    max_bitrate_kbps: int = setting("Most a stream may use.", 500_000, least=500, most=1_000_000)
    fec_percent: int = setting("Parity packets per 100 packets of picture.", 20, least=0, most=255)
    encryption: str = setting(
        "When picture and sound are encrypted although the client would not bother: "
        "'client' (never), 'remote' (outside the local network), 'always' (and refuse "
        "clients that cannot).",
        "remote",
        choices=("client", "remote", "always"),
    )
    codecs: tuple[str, ...] = strings("Codecs to offer, of those that work here.", _CODECS, _CODECS)
    second_client: str = setting(
        "What a device gets that starts an app another one has running: 'own' (a session of its "
        "own), 'join' (the same picture, beside the other), 'take_over' (the other's place), "
        "'refuse' (a message that says who plays).",
        "own",
        choices=("own", "join", "take_over", "refuse"),
    )
    guests: str = setting(
        "What a device that has joined may do: 'play' or only 'watch'.",
        "play",
        choices=("play", "watch"),
    )
    inhibit_idle: bool = setting(
        "Keep the machine from sleeping, and an attached desktop from blanking its screen, "
        "while a session runs.",
        True,
    )


@attrs.frozen(kw_only=True)
class DesktopSettings:
    """`[desktop]`: the app called Desktop."""

    enabled: bool = setting("Offer it.", True)
    mode: str = setting(
        "Where every app appears: 'own' makes a display for the session that nobody else sees, "
        "'attach' shows the desktop that runs on this machine.",
        "own",
        choices=("own", "attach"),
    )
    command: tuple[str, ...] = strings(
        "Program and arguments to start on it; empty takes the compositor's default."
    )


@attrs.frozen(kw_only=True)
class PatternSettings:
    """`[test_pattern]`: the app that shows a moving test card."""

    enabled: bool = setting("Offer it.", True)


@attrs.frozen(kw_only=True)
class DriverSettings:
    """`[drivers]`: which of the available drivers to prefer, most wanted first."""

    compositor: tuple[str, ...] = strings("Order of compositors.")
    capture: tuple[str, ...] = strings("Order of captures.")
    encode: tuple[str, ...] = strings("Order of encoders.")
    audio: tuple[str, ...] = strings("Order of sound sources.")
    input: tuple[str, ...] = strings("Order of inputs.")
    gamepad: tuple[str, ...] = strings("Order of ways to make gamepads.")


@attrs.frozen(kw_only=True)
class PluginFilterSettings:
    """`[plugins]`: which plugins may run at all."""

    allow: tuple[str, ...] = strings("Only these; empty means all that are installed.")
    deny: tuple[str, ...] = strings("Never these.")


@attrs.frozen(kw_only=True)
class HookSettings:
    """`[[hook]]`: a program that is started when something happens."""

    on: tuple[str, ...] = _events()
    command: tuple[str, ...] = required(
        "Program and arguments. No shell reads them.",
        tuple,
        _is_command,
        "a list of strings, the program first",
    )
    timeout_s: int = setting("Seconds until it is ended.", 10, least=1, most=600)


@attrs.frozen(kw_only=True)
class WebhookSettings:
    """`[[webhook]]`: a web address that is told when something happens."""

    on: tuple[str, ...] = _events()
    url: str = required(
        "Where to POST the event.",
        str,
        is_web_address,
        "an http or https address without user, password and fragment",
        show=without_path,
    )
    secret_file: str = setting(
        "File with the secret to sign with, relative to the configuration folder; empty does "
        "not sign.",
        "",
    )
    timeout_s: int = setting("Seconds a try may take.", 10, least=1, most=60)
    allow_private: bool = setting(
        "Also tell addresses of this machine and of private networks.", False
    )


def _is_client_or_empty(text: str) -> bool:
    return not text or _CLIENT.fullmatch(text) is not None


def _app() -> Any:
    return setting("Library id of the app, such as steam:570; empty means every app.", "")


def _client() -> Any:
    return setting(
        "The client's fingerprint, or how it begins; empty means every client.",
        "",
        test=_is_client_or_empty,
        form="8 to 64 lower-case hexadecimal digits, see `punktfunk clients`, or empty",
    )


@attrs.frozen(kw_only=True)
class OverrideSettings:
    """`[[override]]`: other values for the sessions of one app, of one client, or of both."""

    app: str = _app()
    client: str = _client()
    max_width: int | None = override(StreamSettings, "max_width")
    max_height: int | None = override(StreamSettings, "max_height")
    max_fps: int | None = override(StreamSettings, "max_fps")
    max_bitrate_kbps: int | None = override(StreamSettings, "max_bitrate_kbps")
    fec_percent: int | None = override(StreamSettings, "fec_percent")
    encryption: str | None = override(StreamSettings, "encryption")
    codecs: tuple[str, ...] | None = override(StreamSettings, "codecs")
    second_client: str | None = override(StreamSettings, "second_client")
    guests: str | None = override(StreamSettings, "guests")
    desktop_mode: str | None = override(DesktopSettings, "mode")
    compositor: tuple[str, ...] | None = override(DriverSettings, "compositor")
    capture: tuple[str, ...] | None = override(DriverSettings, "capture")
    encode: tuple[str, ...] | None = override(DriverSettings, "encode")
    audio: tuple[str, ...] | None = override(DriverSettings, "audio")
    input: tuple[str, ...] | None = override(DriverSettings, "input")
    gamepad: tuple[str, ...] | None = override(DriverSettings, "gamepad")


@attrs.frozen(kw_only=True)
class PrepSettings:
    """`[[prep]]`: a program that runs before a session, and one that takes it back."""

    app: str = _app()
    client: str = _client()
    do: tuple[str, ...] = strings(
        "Program and arguments to run first; when it fails, the launch is refused."
    )
    undo: tuple[str, ...] = strings("Program and arguments to run after the session.")


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
    hook: tuple[HookSettings, ...] = entries(HookSettings)
    webhook: tuple[WebhookSettings, ...] = entries(WebhookSettings)
    override: tuple[OverrideSettings, ...] = entries(OverrideSettings)
    prep: tuple[PrepSettings, ...] = entries(PrepSettings)
