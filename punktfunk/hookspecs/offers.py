"""What could run here? Asked in the probe child, one hook a kind of driver."""

from punktfunk.hookspecs.markers import hookspec
from punktfunk.model.offers import Availability, HostFacts, Offer

# All of these are called in a short-lived child process, when the host starts and when
# someone asks again, with 3 s for each plugin. A crash or a hang costs only that plugin's
# own offers. An offer that cannot run says so with `Availability.no("...", hint="...")`
# rather than being left out: people read the reason. Whatever is raised becomes the
# reason that the plugin's offers are missing.


@hookspec
def plugin_status(host: HostFacts) -> Availability:
    """Say whether this plugin can do its work on this machine, and if not, why not.

    For plugins without drivers (stores), and for those whose drivers all need something
    that is missing. Shown by `punktfunk plugins` and `punktfunk doctor`.
    """


@hookspec
def compositor_offers(host: HostFacts) -> list[Offer]:
    """Say which compositors you could start, or attach to, for a session."""


@hookspec
def capture_offers(host: HostFacts) -> list[Offer]:
    """Say which captures you could run, and with which `compositors` each works."""


@hookspec
def encode_offers(host: HostFacts) -> list[Offer]:
    """Say which encoders you could run. `codecs` holds only what was tried and worked:
    open each once, encode a frame, look at the result.
    """


@hookspec
def audio_offers(host: HostFacts) -> list[Offer]:
    """Say where sound could be taken from."""


@hookspec
def audio_encode_offers(host: HostFacts) -> list[Offer]:
    """Say which audio encoders you could run. `features` may hold `surround`."""


@hookspec
def input_offers(host: HostFacts) -> list[Offer]:
    """Say how input could be injected, and with which `compositors` each works.

    `features` may hold `pointer`, `keyboard`, `text`, `touch`, `pen`. Clients send touch and pens
    where there is `touch`; a driver without `pen` is given a pen as the pointer.
    """


@hookspec
def gamepad_offers(host: HostFacts) -> list[Offer]:
    """Say how a client's gamepads could become devices. A session runs without, too.

    `features` may hold `rumble`, `light`, `triggers`, `motion`, `touchpad`, `battery`. Clients
    send a pad's motion and touches only where the offer has `motion`.
    """
