"""Where a picture's time goes, against the time there is for it."""

from collections.abc import Mapping, Sequence

import attrs

from punktfunk.console.language import _
from punktfunk.console.shell import N_
from punktfunk.console.words import ms
from punktfunk.model.session import StageTiming

ROOM, TIGHT = 0.6, 0.95
"""Shares of a picture's time: below the first all is well, above the second it is too much."""

_SERIES = 8
_LABELS: Mapping[str, str] = {
    "capture": N_("Capture"),
    "submit": N_("Colours"),
    "encode": N_("Encoding"),
    "packetize": N_("Packets"),
    "send": N_("Sending"),
}
_HELP: Mapping[str, str] = {
    "capture": N_(
        "The desktop hands its pictures over late; fewer things running on it would help."
    ),
    "submit": N_("A lower resolution would help."),
    "encode": N_("A lower resolution or a GPU encoder would help."),
    "packetize": N_("A lower bit rate would help."),
    "send": N_("This machine's network takes it slowly; a lower bit rate or a cable would help."),
}


@attrs.frozen
class Stage:
    """Attributes:
    series: Its colour in charts.
    begins, share: Of the bar's whole length.
    """

    label: str
    p50_us: float
    p99_us: float
    series: int
    begins: float
    share: float


@attrs.frozen(kw_only=True)
class Budget:
    """Attributes:
    interval_us: From one picture to the next.
    total_us: What half of the pictures take at most, all stages together.
    limit: Where the interval ends on the bar, at most 1.
    state: `ok`, `warn` or `bad`, and `verdict` in words.
    most: Which stage takes most, and what that means.
    late: What makes single pictures late; empty where none is.
    """

    interval_us: float
    total_us: float
    limit: float
    stages: tuple[Stage, ...]
    state: str
    verdict: str
    most: str
    late: str


def budget_of(timings: Sequence[StageTiming], fps: int) -> Budget | None:
    """None while nothing was measured."""
    total_us = sum(it.p50_us for it in timings)
    if not total_us:
        return None
    interval_us = 1_000_000 / max(1, fps)
    whole_us = max(total_us, interval_us)
    stages, begins = [], 0.0
    for number, timing in enumerate(timings):
        share = timing.p50_us / whole_us
        label, series = _label(timing.name), number % _SERIES + 1
        stages.append(Stage(label, timing.p50_us, timing.p99_us, series, begins, share))
        begins += share
    slowest = max(timings, key=lambda it: it.p99_us)
    late = slowest.p99_us > interval_us
    used = total_us / interval_us
    state, verdict = _verdict(used, late=late)
    return Budget(
        interval_us=interval_us,
        total_us=total_us,
        limit=interval_us / whole_us,
        stages=tuple(stages),
        state=state,
        verdict=verdict,
        most=_most(max(timings, key=lambda it: it.p50_us), interval_us, used),
        late=_late(slowest) if late and used <= 1 else "",
    )


def _label(name: str) -> str:
    return _(_LABELS[name]) if name in _LABELS else name.replace("_", " ").capitalize()


def _verdict(used: float, *, late: bool) -> tuple[str, str]:
    if used <= TIGHT and late:
        return "warn", _("In time but for a few")
    if used <= ROOM:
        return "ok", _("Room to spare")
    if used <= TIGHT:
        return "warn", _("Just in time")
    return "bad", _("Longer than one picture")


def _most(timing: StageTiming, interval_us: float, used: float) -> str:
    took = _(
        "%(stage)s takes most: %(took)s of %(interval)s.",
        stage=_label(timing.name),
        took=ms(timing.p50_us),
        interval=ms(interval_us),
    )
    help_ = _HELP.get(timing.name, "")
    return f"{took} {_(help_)}" if used > ROOM and help_ else took


def _late(timing: StageTiming) -> str:
    return _(
        "One picture in a hundred is late: %(stage)s takes up to %(took)s. Something else keeps "
        "this machine busy at times.",
        stage=_label(timing.name),
        took=ms(timing.p99_us),
    )
