"""What all verbs share: which host to ask, and how to show what it answers."""

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from punktfunk.cli.api_client import TIMEOUT_S, ApiClient
from punktfunk.cli.ctl.tables import Shown
from punktfunk.cli.target import NoHost, host_at, local_host, token_of
from punktfunk.config import config_folder

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
_KEPT = "punktfunk.ctl."


class Ctl:
    """A verb's way to the host; the options are looked at when it asks."""

    def __init__(self, context: click.Context) -> None:
        self._given = {
            name.removeprefix(_KEPT): value
            for name, value in context.meta.items()
            if name.startswith(_KEPT)
        }

    @property
    def as_json(self) -> bool:
        return bool(self._given.get("as_json"))

    def client(self) -> ApiClient:
        """Raises NoHost or ConfigError: there is nobody to ask, or an option makes no sense."""
        token = token_of(self._given.get("token_file"), os.environ)
        url, fingerprint = self._given.get("url"), self._given.get("tls_fingerprint")
        if url:
            return ApiClient(host_at(url, token, fingerprint))
        if fingerprint:
            raise click.UsageError("--tls-fingerprint needs a --url with https")
        folder: Path = config_folder(self._given.get("config_dir"), os.environ)
        return ApiClient(local_host(folder, token))

    def ask(
        self, method: str, path: str, body: object = None, *, timeout_s: float = TIMEOUT_S
    ) -> Any:
        return self.client().ask(method, path, body, timeout_s=timeout_s)

    def show(self, plain: Any, shown: Callable[[Any], Shown], none: str = "") -> None:
        """Print an answer, for a program as it came or for a person.

        Args:
            shown: Makes text of it.
            none: What to remark when it is empty.
        """
        if self.as_json:
            print_json(plain)
        elif not plain and none:
            self.remark(none)
        else:
            click.echo(make_sense(plain, shown).text())

    def remark(self, text: str) -> None:
        click.echo(f"punktfunk: {text}", err=True)


def make_sense(plain: Any, read: Callable[[Any], T]) -> T:
    """Read an answer that may be of any shape. Raises NoHost: it is no host's."""
    try:
        return read(plain)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise NoHost(
            "the answer is not like that of a punktfunk host: is it another version?"
        ) from error


def print_json(plain: Any, indent: int | None = 2) -> None:
    """In ASCII: no name in it can speak to a terminal."""
    click.echo(json.dumps(plain, indent=indent))


def asking_options(command: F) -> F:
    """Give a command the options that say which host to ask. They are kept, not passed on.

    Verbs have them as well as the group before them, so that they may stand anywhere.
    """
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def verb(command: Callable[..., None]) -> Callable[..., None]:
    """Make a function a verb: it has the options of all, and gets a `Ctl` first."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        command(Ctl(click.get_current_context()), *args, **options)

    return asking_options(run)


class Noun(click.Group):
    """A group that does something when no verb is named.

    Args:
        bare: The verb that is meant when there is none.
        other: The verb that is meant when the first word is none.
    """

    def __init__(self, *args: Any, bare: str, other: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        self._bare, self._other = bare, other

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0] if args else ""
        if first not in ctx.help_option_names and first not in self.commands:
            if not first or first.startswith("-"):
                args = [self._bare, *args]
            elif self._other:
                args = [self._other, *args]
        return super().parse_args(ctx, args)


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    if value:
        context.meta[f"{_KEPT}{parameter.name}"] = value


_OPTIONS = (
    click.option(
        "--url",
        metavar="URL",
        expose_value=False,
        callback=_keep,
        help="A host elsewhere, like https://192.168.1.5:47990. [default: the one that runs here]",
    ),
    click.option(
        "--token-file",
        metavar="FILE",
        expose_value=False,
        callback=_keep,
        help="File with the token. [default: $PUNKTFUNK_MGMT_TOKEN, or that of the host here]",
    ),
    click.option(
        "--tls-fingerprint",
        metavar="SHA256",
        expose_value=False,
        callback=_keep,
        help="Trust the certificate at --url that has this SHA-256, and no other.",
    ),
    click.option(
        "--config-dir",
        metavar="DIR",
        expose_value=False,
        callback=_keep,
        help="Configuration folder of the host here. [default: $PUNKTFUNK_CONFIG_DIR or "
        "~/.config/punktfunk]",
    ),
    click.option(
        "--json",
        "as_json",
        is_flag=True,
        expose_value=False,
        callback=_keep,
        help="Print what the host answers, for a program.",
    ),
)
