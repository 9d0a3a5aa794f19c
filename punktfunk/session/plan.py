"""From wishes and offers to a session's plan. Pure."""

import contextlib
from collections.abc import Callable, Mapping, Sequence

import attrs

from punktfunk.errors import Refused
from punktfunk.model.apps import App, PrepCommand
from punktfunk.model.offers import Choice, Kind, Offer
from punktfunk.model.session import DriverRef, SessionPlan
from punktfunk.model.video import VideoMode
from punktfunk.registry.ranking import choose

Offers = Callable[[Kind], Sequence[Offer]]
DriverSettingsOf = Callable[[Kind, str], Mapping[str, object]]


@attrs.frozen(kw_only=True)
class Preferences:
    """Orders from the configuration, by kind."""

    order: Mapping[Kind, tuple[str, ...]] = attrs.field(factory=dict)

    def of(self, kind: Kind) -> tuple[str, ...]:
        return self.order.get(kind, ())


@attrs.frozen(kw_only=True)
class Cast:
    """The drivers picked for one session, and the choices that led to them."""

    compositor: Offer
    capture: Offer
    encoders: tuple[Offer, ...]
    audio: Offer
    audio_encoder: Offer
    input: Offer
    gamepad: Offer | None
    choices: tuple[Choice, ...]


def cast_drivers(
    app: App, offers: Offers, preferences: Preferences, *, attach: bool = False
) -> Cast:
    """Pick a driver of each kind for an app.

    Args:
        attach: Show the desktop that already runs. An app with a wish for a compositor that
            cannot, such as the test pattern, gets it as it is.

    Raises:
        Refused: a kind has none that fits, apart from gamepads; status 503, and the message
            says of each offer why it was passed over.
    """
    choices: list[Choice] = []
    wish = app.wishes.get(Kind.COMPOSITOR.value)
    if wish is not None:
        attach &= any(it.attaches for it in offers(Kind.COMPOSITOR) if it.driver == wish)

    def look(kind: Kind, compositor: str | None = None) -> Choice:
        choice = choose(
            kind,
            offers(kind),
            wish=app.wishes.get(kind.value),
            order=preferences.of(kind),
            compositor=compositor,
            attach=attach,
        )
        choices.append(choice)
        return choice

    def pick(kind: Kind, compositor: str | None = None) -> Offer:
        choice = look(kind, compositor)
        if choice.picked is None:
            raise _nothing_fits(app, choice)
        return choice.picked

    compositor = pick(Kind.COMPOSITOR)
    encoder = pick(Kind.ENCODE)
    return Cast(
        compositor=compositor,
        capture=pick(Kind.CAPTURE, compositor.driver),
        encoders=(encoder, *_next_best(encoder, offers(Kind.ENCODE), preferences)),
        audio=pick(Kind.AUDIO),
        audio_encoder=pick(Kind.AUDIO_ENCODE),
        input=pick(Kind.INPUT, compositor.driver),
        gamepad=look(Kind.GAMEPAD).picked,
        choices=tuple(choices),
    )


def casts_in_order(
    app: App, offers: Offers, preferences: Preferences, *, attach: bool = False
) -> tuple[Cast, ...]:
    """The drivers to try, best first; arguments and errors as in `cast_drivers`.

    There is more than one only where any driver may show the desktop that already runs: one
    may have to ask the person in front of it, who may be away.
    """
    casts = [cast_drivers(app, offers, preferences, attach=attach)]
    if not casts[0].compositor.attaches or Kind.COMPOSITOR.value in app.wishes:
        return tuple(casts)

    def others(kind: Kind) -> Sequence[Offer]:
        tried = [cast.compositor for cast in casts]
        return [offer for offer in offers(kind) if offer not in tried]

    with contextlib.suppress(Refused):
        while True:
            casts.append(cast_drivers(app, others, preferences, attach=True))
    return tuple(casts)


def plan_session(
    cast: Cast,
    app: App,
    *,
    session_id: int,
    seat: str,
    client: str = "",
    mode: VideoMode,
    channels: int,
    sound_on_host: bool = False,
    prep: tuple[PrepCommand, ...] = (),
    settings_of: DriverSettingsOf,
    runtime_root: str,
    journal: str,
    memory: str,
    host_environment: Mapping[str, str],
    keep_awake: str = "",
) -> SessionPlan:
    """Write down everything a worker needs."""

    def ref(kind: Kind, offer: Offer) -> DriverRef:
        return DriverRef(name=offer.driver, settings=settings_of(kind, offer.driver))

    return SessionPlan(
        session_id=session_id,
        seat=seat,
        client=client,
        app_title=app.title,
        launch=app.launch,
        attach=cast.compositor.attaches,
        start_default_app=app.desktop_like and not cast.compositor.attaches,
        ends_with_app=bool(app.launch.argv) and not app.desktop_like,
        prep=prep,
        mode=mode,
        channels=channels,
        sound_on_host=sound_on_host,
        compositor=ref(Kind.COMPOSITOR, cast.compositor),
        capture=ref(Kind.CAPTURE, cast.capture),
        encoders=tuple(ref(Kind.ENCODE, offer) for offer in cast.encoders),
        audio=ref(Kind.AUDIO, cast.audio),
        audio_encoder=ref(Kind.AUDIO_ENCODE, cast.audio_encoder),
        input=ref(Kind.INPUT, cast.input),
        touch="touch" in cast.input.features,
        pen="pen" in cast.input.features,
        gamepad=ref(Kind.GAMEPAD, cast.gamepad) if cast.gamepad else None,
        runtime_root=runtime_root,
        journal=journal,
        memory=memory,
        host_environment=host_environment,
        keep_awake=keep_awake,
    )


def _next_best(
    first: Offer, offers: Sequence[Offer], preferences: Preferences
) -> tuple[Offer, ...]:
    others = [offer for offer in offers if offer.driver != first.driver]
    second = choose(Kind.ENCODE, others, order=preferences.of(Kind.ENCODE)).picked
    return (second,) if second else ()


def _nothing_fits(app: App, choice: Choice) -> Refused:
    reasons = "; ".join(
        f"{passed.offer.name}: {passed.because.rstrip('.')}"
        for passed in choice.passed_over
        if passed.offer.rank > 0 or passed.offer.driver in app.wishes.values()
    )
    detail = reasons or "no plugin for it is installed"
    kind = choice.kind.value.replace("_", " ")
    return Refused(f"no {kind} for {app.title}: {detail}. See: punktfunk doctor", status=503)
