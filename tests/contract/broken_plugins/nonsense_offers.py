"""Answers with things that are not offers, or not its own."""

from punktfunk.plugin import Availability, HostFacts, Kind, Manifest, Offer, hookimpl

manifest = Manifest(api=1, title="Nonsense offers")
yes = Availability.yes()


@hookimpl
def encode_offers(host: HostFacts) -> list[Offer]:
    return [
        Offer(kind=Kind.ENCODE, driver="no_such_driver", title="Not there", availability=yes),
        Offer(kind=Kind.ENCODE, driver="healthy", title="Not mine", availability=yes),
    ]


@hookimpl
def capture_offers(host: HostFacts) -> list[Offer]:
    return {"driver": "nonsense_offers"}  # type: ignore[return-value]


@hookimpl
def audio_offers(host: HostFacts) -> list[Offer]:
    return [Offer(kind=Kind.INPUT, driver="nonsense_offers", title="Input", availability=yes)]


@hookimpl
def input_offers(host: HostFacts) -> list[Offer]:
    codecs = frozenset({"vp9"})
    return [
        Offer(
            kind=Kind.INPUT,
            driver="nonsense_offers",
            title="VP9",
            availability=yes,
            codecs=codecs,  # type: ignore[arg-type]
        )
    ]


@hookimpl
def plugin_status(host: HostFacts) -> Availability:
    return "fine"  # type: ignore[return-value]
