"""The core's own plugin: software encoders, and drivers that need no machine at all.

Light to import: PyAV and numpy load only where a driver, or the probe of one, runs.
"""

from punktfunk.hookspecs.markers import hookimpl
from punktfunk.model.offers import Availability, HostFacts, Kind, Offer
from punktfunk.model.plugins import API_VERSION, Manifest, Setting

_TEST_ONLY = 0  # never picked unless asked for by name
_LAST_RESORT = 1
_SOFTWARE = 10

manifest = Manifest(
    api=API_VERSION,
    title="Built-in drivers",
    settings=(
        Setting(
            name="preset",
            type=str,
            default="ultrafast",
            doc="x264 preset of the software encoder: ultrafast, superfast, veryfast and so on. "
            "Each step costs about twice the CPU time of the one before.",
        ),
        Setting(
            name="threads",
            type=int,
            default=0,
            doc="Threads of the software encoder, 0 to choose by the number of cores.",
        ),
    ),
)


@hookimpl
def compositor_offers(host: HostFacts) -> list[Offer]:
    return [_test_driver(Kind.COMPOSITOR, "null", "No display at all")]


@hookimpl
def capture_offers(host: HostFacts) -> list[Offer]:
    return [_test_driver(Kind.CAPTURE, "testcard", "Test card")]


@hookimpl
def audio_offers(host: HostFacts) -> list[Offer]:
    silence = Offer(
        kind=Kind.AUDIO,
        driver="silence",
        title="No sound",
        rank=_LAST_RESORT,
        availability=Availability.yes("for machines without a sound server"),
        features=frozenset({"surround"}),
    )
    return [_test_driver(Kind.AUDIO, "tone", "Test tones", "surround"), silence]


@hookimpl
def input_offers(host: HostFacts) -> list[Offer]:
    every = ("pointer", "keyboard", "touch", "pen")
    return [_test_driver(Kind.INPUT, "memory", "Input into a file", *every)]


@hookimpl
def gamepad_offers(host: HostFacts) -> list[Offer]:
    every = ("rumble", "light", "motion", "touchpad", "battery")
    return [_test_driver(Kind.GAMEPAD, "memory", "Pads into a file", *every)]


@hookimpl
def encode_offers(host: HostFacts) -> list[Offer]:
    from punktfunk.builtin.probing import working_codecs

    codecs, problems = working_codecs(host.settings.get("builtin", {}))
    availability = Availability.yes("; ".join(problems))
    if not codecs:
        availability = Availability.no(
            "; ".join(problems), hint="reinstall PyAV: pip install --force-reinstall av"
        )
    return [
        Offer(
            kind=Kind.ENCODE,
            driver="software",
            title="Software encoder (x264, x265, SVT-AV1)",
            rank=_SOFTWARE,
            availability=availability,
            codecs=codecs,
        )
    ]


@hookimpl
def audio_encode_offers(host: HostFacts) -> list[Offer]:
    from punktfunk.builtin.probing import opus_problem

    problem = opus_problem()
    availability = Availability.yes()
    if problem:
        availability = Availability.no(problem, hint="install the system's libopus0 package")
    return [
        Offer(
            kind=Kind.AUDIO_ENCODE,
            driver="opus",
            title="Opus",
            rank=_SOFTWARE,
            availability=availability,
            features=frozenset({"surround"}),
        )
    ]


def _test_driver(kind: Kind, driver: str, title: str, *features: str) -> Offer:
    return Offer(
        kind=kind,
        driver=driver,
        title=title,
        rank=_TEST_ONLY,
        availability=Availability.yes(),
        features=frozenset(features),
    )
