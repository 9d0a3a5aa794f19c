"""`punktfunk ctl`: drives a running host, here or elsewhere, through its management API.

Data goes to standard output, remarks to standard error. The exit status says
what kind of no it was.
"""

from typing import Any

import click

from punktfunk.cli.ctl import (
    clients,
    config,
    events,
    library,
    logs,
    machine,
    native,
    pair,
    plugins,
    sessions,
    stats,
    status,
    tokens,
)
from punktfunk.cli.ctl.asking import asking_options
from punktfunk.cli.failure import fail
from punktfunk.cli.target import NoHost
from punktfunk.errors import ConfigError, PunktfunkError

REFUSED, MISUSE, UNREACHABLE, NOT_ALLOWED, NOT_FOUND = 1, 2, 3, 4, 5
_BY_HTTP_STATUS = {401: NOT_ALLOWED, 403: NOT_ALLOWED, 404: NOT_FOUND}


class _Verbs(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PunktfunkError as error:
            fail(error, _exit_code(error))


def _exit_code(error: PunktfunkError) -> int:
    if isinstance(error, NoHost):
        return UNREACHABLE
    if isinstance(error, ConfigError):
        return MISUSE
    status = error.fields.get("status")
    return _BY_HTTP_STATUS.get(status, REFUSED) if isinstance(status, int) else REFUSED


@click.group(cls=_Verbs)
@asking_options
def ctl() -> None:
    """Drive a running host through its management API.

    Exit status: 0 done, 1 the host refused, 2 misuse, 3 no host answers,
    4 not allowed, 5 not found.
    """


for _command in (
    status.status,
    status.health,
    status.host,
    status.compositors,
    sessions.sessions,
    pair.pair,
    clients.clients,
    native.native,
    library.library,
    stats.stats,
    events.events,
    plugins.plugins,
    config.config,
    logs.logs,
    machine.doctor,
    machine.undo,
    tokens.tokens,
):
    ctl.add_command(_command)
