"""The command line. Each command is a thin caller of something a test can reach without it.

Facts go to standard output, remarks to standard error. Exit 0 for yes, 1 for no, 2 for misuse.
"""

from typing import Any

import click

from punktfunk import __version__
from punktfunk.cli import look, remote, serve, service
from punktfunk.errors import ConfigError, PunktfunkError


class _OneLine(click.ClickException):
    """An error of ours: one line, no traceback."""

    def __init__(self, error: PunktfunkError) -> None:
        super().__init__(" ".join(str(error).split("\n")))

    def show(self, file: Any = None) -> None:
        click.echo(f"punktfunk: {self.message}", file=file, err=file is None)


class _Misuse(_OneLine):
    exit_code = 2


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PunktfunkError as error:
            raise (_Misuse if isinstance(error, ConfigError) else _OneLine)(error) from error


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
    remote.pair,
    remote.clients,
    service.service,
):
    main.add_command(_command)
