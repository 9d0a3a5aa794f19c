"""One display after the other, where it shows only at the start that one cannot be had."""

import logging
from collections.abc import Awaitable, Callable, Iterable

from punktfunk.errors import DriverUnavailable, Refused
from punktfunk.host.handshake import in_words
from punktfunk.host.session import HostSession
from punktfunk.model.session import SessionPlan

log = logging.getLogger(__name__)


async def first_that_starts(
    plans: Iterable[SessionPlan], start: Callable[[SessionPlan], Awaitable[HostSession]]
) -> HostSession:
    """Start by the first plan whose compositor can run.

    Raises:
        Refused: by the last one, with the reasons of all; or for another reason than the
            compositor, which the next plan would meet as well.
    """
    reasons: list[str] = []
    last: Refused | None = None
    for plan in plans:
        if last is not None:
            log.info("trying the next display: %s", plan.compositor.name)
        try:
            return await start(plan)
        except Refused as refused:
            cause = refused.__cause__
            if not isinstance(cause, DriverUnavailable) or cause.driver != plan.compositor.name:
                raise
            reasons.append(in_words(cause))
            last = Refused(
                f"{plan.app_title} could not be started: {'; '.join(reasons)}", status=503
            )
            last.__cause__ = cause
    assert last is not None, "there is always a plan"
    raise last
