"""Does everything right, so that it can be seen to survive the others."""

from punktfunk.plugin import (
    Availability,
    Codec,
    EncodedFrame,
    EncodeDriver,
    EncodeParams,
    Frame,
    HostFacts,
    Kind,
    Manifest,
    Offer,
    hookimpl,
)

manifest = Manifest(api=1, title="Healthy")


@hookimpl
def encode_offers(host: HostFacts) -> list[Offer]:
    yes = Availability.yes()
    return [
        Offer(kind=Kind.ENCODE, driver="healthy", title="Healthy", availability=yes)
        if not host.kernel
        else Offer(
            kind=Kind.ENCODE,
            driver="healthy",
            title="Healthy",
            rank=20,
            availability=yes,
            codecs=frozenset({Codec.H264}),
        )
    ]


class Encoder(EncodeDriver):
    def open(self, params: EncodeParams) -> None:
        pass

    def encode(self, frame: Frame, *, keyframe: bool = False) -> EncodedFrame:
        return EncodedFrame(data=b"\0", keyframe=keyframe, captured_ns=frame.captured_ns)

    def set_bitrate(self, bitrate_kbps: int) -> None:
        pass

    def close(self) -> None:
        pass
