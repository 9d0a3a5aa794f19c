"""How an error of ours ends a command: one line, no traceback."""

from typing import NoReturn

import click

from punktfunk.cli.printable import printable
from punktfunk.errors import PunktfunkError


def fail(error: PunktfunkError, exit_code: int) -> NoReturn:
    """What a host or a device said in it cannot speak to a terminal."""
    click.echo(f"punktfunk: {printable(' '.join(str(error).splitlines()))}", err=True)
    raise SystemExit(exit_code) from error
