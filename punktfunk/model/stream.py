"""What one client negotiated for one stream, and the ports it uses."""

import attrs
from attrs.validators import ge, in_, le

from punktfunk.model.audio import OpusParams
from punktfunk.model.video import Codec, ColorSpec, EncodeParams, VideoMode

_port = [ge(1), le(65_535)]


@attrs.frozen(kw_only=True)
class StreamPorts:
    """The three UDP ports of a session. All are bound before a client hears of them."""

    video: int = attrs.field(validator=_port)
    control: int = attrs.field(validator=_port)
    audio: int = attrs.field(validator=_port)


@attrs.frozen(kw_only=True)
class StreamRequest:
    """A stream the host agreed to; every value is already within bounds.

    Attributes:
        mode: Picture size and rate.
        slices_per_frame: A wish for the encoder.
        max_reference_frames: 0 leaves it to the encoder.
        packet_size: Bytes of a video datagram without the first 16, a multiple of 16.
            Exactly what the client asked for: it sizes its buffers and its error
            correction by it.
        bitrate_kbps: The whole stream: picture, parity and sound.
        encoder_bitrate_kbps: What the encoder may spend of it.
        min_fec_packets: Least number of parity packets a block.
        fec_percent: Parity packets per 100 data packets.
        control_v2: The control stream uses the newer nonces; else the legacy ones.
        dscp_video: 0 means: do not tag.
        dscp_audio: 0 means: do not tag.
        client_knows_ping_payload: Its pings carry the secret of SETUP. Otherwise they are
            the four bytes `PING`.
    """

    mode: VideoMode
    codec: Codec
    color: ColorSpec
    slices_per_frame: int = attrs.field(validator=[ge(1), le(32)])
    max_reference_frames: int = attrs.field(validator=[ge(0), le(16)])
    packet_size: int = attrs.field(validator=[ge(256), le(65_504)])
    bitrate_kbps: int = attrs.field(validator=[ge(100), le(1_000_000)])
    encoder_bitrate_kbps: int = attrs.field(validator=[ge(100), le(1_000_000)])
    min_fec_packets: int = attrs.field(validator=[ge(0), le(255)])
    fec_percent: int = attrs.field(validator=[ge(0), le(255)])
    audio: OpusParams
    encrypt_video: bool
    encrypt_audio: bool
    control_v2: bool
    dscp_video: int = attrs.field(validator=in_((0, 40)))
    dscp_audio: int = attrs.field(validator=in_((0, 48)))
    client_sends_fec_status: bool
    client_knows_ping_payload: bool

    @property
    def encode_params(self) -> EncodeParams:
        """What to ask the encoder for."""
        return EncodeParams(
            codec=self.codec,
            mode=self.mode,
            bitrate_kbps=self.encoder_bitrate_kbps,
            color=self.color,
            slices_per_frame=self.slices_per_frame,
            max_reference_frames=self.max_reference_frames,
        )
