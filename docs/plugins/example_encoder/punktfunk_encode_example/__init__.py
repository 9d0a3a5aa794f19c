"""The example encoder. Light to import: PyAV loads only where the driver runs."""

from punktfunk.plugin import (
    Availability,
    Codec,
    HostFacts,
    Kind,
    Manifest,
    Offer,
    Setting,
    hookimpl,
)

manifest = Manifest(
    api=1,
    title="Example encoder",
    settings=(
        Setting(name="preset", type=str, default="veryfast", doc="x264 preset to encode with."),
    ),
)


@hookimpl
def encode_offers(host: HostFacts) -> list[Offer]:
    return [
        Offer(
            kind=Kind.ENCODE,
            driver="example",
            title="Example (x264)",
            rank=9,  # just below the built-in encoder: picked only when someone prefers it
            availability=_availability(),
            codecs=frozenset({Codec.H264}),
        )
    ]


def _availability() -> Availability:
    from punktfunk_encode_example.driver import try_out

    problem = try_out()
    if problem:
        return Availability.no(problem, hint="reinstall PyAV: pip install --force-reinstall av")
    return Availability.yes()
