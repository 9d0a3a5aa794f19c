"""The command line. Each command is a thin caller of something a test can reach without it.

Facts go to standard output, remarks to standard error. Exit 0 for yes, 1 for no, 2 for misuse.
"""

from typing import Any

import click

from punktfunk import __version__
from punktfunk.cli import console, ctl, look, remote, report, serve, service, token, undo
from punktfunk.cli.failure import fail
from punktfunk.errors import ConfigError, PunktfunkError


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PunktfunkError as error:
            fail(error, 2 if isinstance(error, ConfigError) else 1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """Stream this machine's desktop and games to Moonlight."""


for _command in (
    serve.serve,
    look.doctor,
    look.plugins,
    look.config,
    look.openapi,
    report.report,
    remote.pair,
    remote.clients,
    console.console,
    ctl.ctl,
    service.service,
    token.token,
    undo.undo,
):
    main.add_command(_command)
