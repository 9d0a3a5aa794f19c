"""A sink per session on PipeWire or PulseAudio. Light to import: pulsectl loads when asked."""

from punktfunk.plugin import (
    API_VERSION,
    Availability,
    Effect,
    HostFacts,
    Kind,
    Manifest,
    Offer,
    Setting,
    hookimpl,
)
from punktfunk_audio_pulse.settings import DRIVER, SINK_EFFECT, ServerChoice

manifest = Manifest(
    api=API_VERSION,
    title="PipeWire and PulseAudio",
    settings=(
        Setting(
            name="server",
            type=str,
            default=ServerChoice.AUTO.value,
            doc="auto: the user's sound server if it answers, else an own one; user; own.",
        ),
    ),
)


@hookimpl
def audio_offers(host: HostFacts) -> list[Offer]:
    return [
        Offer(
            kind=Kind.AUDIO,
            driver=DRIVER,
            title="sink on PipeWire or PulseAudio",
            rank=50,
            availability=_availability(host),
            features=frozenset({"surround"}),
        )
    ]


@hookimpl
def effect_undo(effect: Effect, host: HostFacts) -> bool:
    if effect.kind != SINK_EFFECT:
        return False
    from punktfunk_audio_pulse.sinks import undo_sink

    return undo_sink(str(effect.data.get("server", "")), str(effect.data.get("sink", "")))


def _availability(host: HostFacts) -> Availability:
    from punktfunk_audio_pulse.probe import sound_availability

    return sound_availability(ServerChoice.read(host.settings.get(DRIVER, {})), host.environment)
