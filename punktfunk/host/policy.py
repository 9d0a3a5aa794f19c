"""What the settings let a client have."""

import attrs

from punktfunk.config.settings import DriverSettings, StreamSettings
from punktfunk.errors import Refused
from punktfunk.gamestream.endpoint import is_local_network
from punktfunk.gamestream.launch import LaunchRequest
from punktfunk.gamestream.negotiation import StreamLimits
from punktfunk.gamestream.sdp import Encryption
from punktfunk.model.clients import PairedClient
from punktfunk.model.offers import Kind
from punktfunk.model.video import Codec, VideoMode
from punktfunk.session.plan import Preferences


def preferences(drivers: DriverSettings) -> Preferences:
    """The orders of `[drivers]`."""
    return Preferences(
        order={
            Kind.COMPOSITOR: drivers.compositor,
            Kind.CAPTURE: drivers.capture,
            Kind.ENCODE: drivers.encode,
            Kind.AUDIO: drivers.audio,
            Kind.INPUT: drivers.input,
            Kind.GAMEPAD: drivers.gamepad,
        }
    )


def check_launch(request: LaunchRequest, settings: StreamSettings) -> None:
    """Refuse what could only fail later.

    Raises:
        Refused: status 403.
    """
    mode = request.mode
    if mode is not None and (
        mode.width_px > settings.max_width or mode.height_px > settings.max_height
    ):
        raise Refused(
            f"a picture of {mode.width_px}x{mode.height_px} is too large: this host streams up "
            f"to {settings.max_width}x{settings.max_height}",
            status=403,
        )
    if settings.encryption == "always" and request.core_version is None:
        raise Refused("this host asks for encryption; this client is too old", status=403)


def display_mode(wanted: VideoMode, settings: StreamSettings) -> VideoMode:
    """What the session's display gets, and commands before it are told."""
    return attrs.evolve(wanted, refresh_mhz=min(wanted.refresh_mhz, settings.max_fps * 1_000))


def stream_limits(
    client: PairedClient, settings: StreamSettings, codecs: frozenset[Codec]
) -> StreamLimits:
    """What a stream of this client may be."""
    return StreamLimits(
        codecs=codecs,
        max_width_px=settings.max_width,
        max_height_px=settings.max_height,
        max_fps=settings.max_fps,
        max_bitrate_kbps=settings.max_bitrate_kbps,
        fec_percent=settings.fec_percent,
        encryption_required=encryption_required(
            settings.encryption, control_v2_used=client.control_v2_used
        ),
    )


def encryption_requested(policy: str, remote_ip: str) -> Encryption:
    """What to switch on although the client would not bother.

    Args:
        policy: `stream.encryption` of the configuration.
    """
    if policy == "always" or (policy == "remote" and not is_local_network(remote_ip)):
        return Encryption.ALL
    return Encryption.CONTROL_V2


def encryption_required(policy: str, *, control_v2_used: bool) -> Encryption:
    """Without what a stream is refused. A client that once knew better is held to it."""
    if policy == "always":
        return Encryption.ALL
    return Encryption.CONTROL_V2 if control_v2_used else Encryption.NONE
