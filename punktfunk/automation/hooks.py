"""Programs that are started when something happens."""

import asyncio
import logging
from collections.abc import Mapping

from punktfunk.automation.programs import run_program
from punktfunk.config.settings import HookSettings
from punktfunk.events import event_json
from punktfunk.model.events import Event, types_matching

PASSED_ON = (
    *("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TZ", "USER"),
    *("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"),
)
"""What a hook gets of the host's environment."""

log = logging.getLogger(__name__)


class Hook:
    """What an event says reaches the program as data only: on standard input and in the
    environment, never in its arguments.

    Args:
        name: For the log.
        environment: The host's own.
        places: How many programs may run at the same time.
    """

    def __init__(
        self,
        name: str,
        settings: HookSettings,
        environment: Mapping[str, str],
        places: asyncio.Semaphore,
    ) -> None:
        self.name = name
        self.types = types_matching(settings.on)
        self._settings = settings
        self._places = places
        self._environment = {it: environment[it] for it in PASSED_ON if it in environment}

    async def handle(self, event: Event) -> None:
        """Run the program to its end; never raises for what it does."""
        async with self._places:
            await self._run(event)

    async def _run(self, event: Event) -> None:
        settings = self._settings
        text = event_json(event)
        told = {"event": event.type, "program": settings.command[0]}
        try:
            outcome = await run_program(
                settings.command,
                environment={
                    **self._environment,
                    "PUNKTFUNK_EVENT_ID": str(event.id),
                    "PUNKTFUNK_EVENT_TYPE": event.type,
                    "PUNKTFUNK_EVENT_JSON": text,
                },
                standard_input=text.encode() + b"\n",
                timeout_s=settings.timeout_s,
            )
        except OSError as error:
            log.warning("%s could not be started: %s", self.name, error.strerror, extra=told)
            return
        told["printed"] = outcome.last_line
        if outcome.status is None:
            log.warning("%s was ended after %d s", self.name, settings.timeout_s, extra=told)
        elif outcome.status:
            log.warning("%s failed with exit status %d", self.name, outcome.status, extra=told)
        else:
            log.info("%s ran", self.name, extra=told)
