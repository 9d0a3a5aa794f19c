"""Every setting there is, with its default. Change a default here and nowhere else."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from punktfunk.config.addresses import is_address_or_empty, is_bind
from punktfunk.config.rules import Rule
from punktfunk.config.web_addresses import is_web_address, without_path
from punktfunk.model.events import types_matching
from punktfunk.model.video import Codec

_CLIENT = re.compile(r"[0-9a-f]{8,64}")

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


def _required(
    doc: str,
    kind: type,
    test: Callable[[Any], bool],
    form: str,
    show: Callable[[Any], object] | None = None,
) -> Any:
    """A setting of an entry that makes no sense without it.

    Args:
        show: What others than the host may see of the value.
    """
    rule = Rule(type=kind, test=test, form=form)
    return attrs.field(validator=rule, metadata={"doc": doc, "rule": rule, "show": show})


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
    return _required("Which events.", tuple, _are_events, form)


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
    second_client: str = _setting(
        "What a device gets that starts an app another one has running: 'own' (a session of its "
        "own), 'join' (the same picture, beside the other), 'take_over' (the other's place), "
        "'refuse' (a message that says who plays).",
        "own",
        choices=("own", "join", "take_over", "refuse"),
    )
    guests: str = _setting(
        "What a device that has joined may do: 'play' or only 'watch'.",
        "play",
        choices=("play", "watch"),
    )
    inhibit_idle: bool = _setting(
        "Keep the machine from sleeping, and an attached desktop from blanking its screen, "
        "while a session runs.",
        True,
    )


@attrs.frozen(kw_only=True)
class DesktopSettings:
    """`[desktop]`: the app called Desktop."""

    enabled: bool = _setting("Offer it.", True)
    mode: str = _setting(
        "Where every app appears: 'own' makes a display for the session that nobody else sees, "
        "'attach' shows the desktop that runs on this machine.",
        "own",
        choices=("own", "attach"),
    )
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
    gamepad: tuple[str, ...] = _strings("Order of ways to make gamepads.")


@attrs.frozen(kw_only=True)
class PluginFilterSettings:
    """`[plugins]`: which plugins may run at all."""

    allow: tuple[str, ...] = _strings("Only these; empty means all that are installed.")
    deny: tuple[str, ...] = _strings("Never these.")


@attrs.frozen(kw_only=True)
class HookSettings:
    """`[[hook]]`: a program that is started when something happens."""

    on: tuple[str, ...] = _events()
    command: tuple[str, ...] = _required(
        "Program and arguments. No shell reads them.",
        tuple,
        _is_command,
        "a list of strings, the program first",
    )
    timeout_s: int = _setting("Seconds until it is ended.", 10, least=1, most=600)


@attrs.frozen(kw_only=True)
class WebhookSettings:
    """`[[webhook]]`: a web address that is told when something happens."""

    on: tuple[str, ...] = _events()
    url: str = _required(
        "Where to POST the event.",
        str,
        is_web_address,
        "an http or https address without user, password and fragment",
        show=without_path,
    )
    secret_file: str = _setting(
        "File with the secret to sign with, relative to the configuration folder; empty does "
        "not sign.",
        "",
    )
    timeout_s: int = _setting("Seconds a try may take.", 10, least=1, most=60)
    allow_private: bool = _setting(
        "Also tell addresses of this machine and of private networks.", False
    )


def _override(table: type, name: str) -> Any:
    """The same setting, for some sessions only; None leaves it as it is."""
    metadata = getattr(attrs.fields(table), name).metadata
    return attrs.field(
        default=None, validator=attrs.validators.optional(metadata["rule"]), metadata=metadata
    )


def _is_client_or_empty(text: str) -> bool:
    return not text or _CLIENT.fullmatch(text) is not None


def _app() -> Any:
    return _setting("Library id of the app, such as steam:570; empty means every app.", "")


def _client() -> Any:
    return _setting(
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
    max_width: int | None = _override(StreamSettings, "max_width")
    max_height: int | None = _override(StreamSettings, "max_height")
    max_fps: int | None = _override(StreamSettings, "max_fps")
    max_bitrate_kbps: int | None = _override(StreamSettings, "max_bitrate_kbps")
    fec_percent: int | None = _override(StreamSettings, "fec_percent")
    encryption: str | None = _override(StreamSettings, "encryption")
    codecs: tuple[str, ...] | None = _override(StreamSettings, "codecs")
    second_client: str | None = _override(StreamSettings, "second_client")
    guests: str | None = _override(StreamSettings, "guests")
    desktop_mode: str | None = _override(DesktopSettings, "mode")
    compositor: tuple[str, ...] | None = _override(DriverSettings, "compositor")
    capture: tuple[str, ...] | None = _override(DriverSettings, "capture")
    encode: tuple[str, ...] | None = _override(DriverSettings, "encode")
    audio: tuple[str, ...] | None = _override(DriverSettings, "audio")
    input: tuple[str, ...] | None = _override(DriverSettings, "input")
    gamepad: tuple[str, ...] | None = _override(DriverSettings, "gamepad")


@attrs.frozen(kw_only=True)
class PrepSettings:
    """`[[prep]]`: a program that runs before a session, and one that takes it back."""

    app: str = _app()
    client: str = _client()
    do: tuple[str, ...] = _strings(
        "Program and arguments to run first; when it fails, the launch is refused."
    )
    undo: tuple[str, ...] = _strings("Program and arguments to run after the session.")


def _entries(kind: type) -> Any:
    """An array of tables: `[[name]]`, any number of times."""
    return attrs.field(default=(), converter=tuple, metadata={"entry": kind})


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
    hook: tuple[HookSettings, ...] = _entries(HookSettings)
    webhook: tuple[WebhookSettings, ...] = _entries(WebhookSettings)
    override: tuple[OverrideSettings, ...] = _entries(OverrideSettings)
    prep: tuple[PrepSettings, ...] = _entries(PrepSettings)
