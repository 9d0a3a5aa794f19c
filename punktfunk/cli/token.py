"""`punktfunk token`: tokens, through the running host or in its files."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from punktfunk.cli.api_client import ApiClient
from punktfunk.cli.folder import folder_option, json_option
from punktfunk.cli.target import NoHost, local_host
from punktfunk.errors import AlreadyRunning, Refused
from punktfunk.model.access import Scope
from punktfunk.trust.token import TOKEN_FILE, make_token

T = TypeVar("T")


@click.group()
@folder_option
def token(folder: Path) -> None:
    """Make, show or revoke tokens for programs; make a new one for yourself."""


@token.command()
@click.option(
    "--scope",
    required=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="read looks, control also pairs and steers sessions, admin may do everything.",
)
@click.option("--name", default="", metavar="N", help="What it is for.")
@click.option(
    "--expires",
    "expires_days",
    type=click.IntRange(1, 3_650),
    metavar="DAYS",
    help="Days until it expires. [default: never]",
)
@folder_option
@json_option
def create(scope: str, name: str, expires_days: int | None, folder: Path, as_json: bool) -> None:
    """Make a token and print it, this once."""
    wanted = {"scope": scope, "name": name, "expires_days": expires_days}
    made = _with_host_or_file(
        folder,
        lambda api: api.ask("POST", "/tokens", wanted),
        lambda files: files.create(Scope(scope), name, expires_days),
    )
    if as_json:
        click.echo(json.dumps(made, indent=2, ensure_ascii=False))
        return
    click.echo(made["token"])
    click.echo(f"punktfunk: its id is {made['info']['id']}; it is not shown again", err=True)


@token.command("list")
@folder_option
@json_option
def list_tokens(folder: Path, as_json: bool) -> None:
    """Show what is known of every token."""
    found = _with_host_or_file(folder, lambda api: api.ask("GET", "/tokens"), _Files.list)
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for it in found:
        click.echo(f"{it['id']}  {it['scope']:<7}  {_until(it):<16}  {it['name']}")
    if not found:
        click.echo("punktfunk: there are no tokens besides the one in mgmt-token", err=True)


@token.command()
@click.argument("token_id", metavar="ID")
@folder_option
def revoke(token_id: str, folder: Path) -> None:
    """Shut the holder of a token out, at once."""
    if not token_id.isalnum():
        raise click.BadParameter("an id is the first word of a line of `punktfunk token list`")
    _with_host_or_file(
        folder,
        lambda api: api.ask("DELETE", f"/tokens/{token_id}"),
        lambda files: files.revoke(token_id),
    )
    click.echo("It is revoked.")


@token.command()
@folder_option
def reset(folder: Path) -> None:
    """Make a new administrator's token and log everybody out of the console.

    Works with and without a running host. The token is in the file that is named.
    """
    from punktfunk.mgmt.audit import Audit

    try:
        make_token(folder)
    except OSError as error:
        raise Refused(f"{folder / TOKEN_FILE} cannot be written: {error.strerror}") from None
    Audit(folder).note_command("resetToken", TOKEN_FILE, 204)
    click.echo(f"A new token is in {folder / TOKEN_FILE}.")
    try:
        ApiClient(local_host(folder)).ask("GET", "/tokens")
    except NoHost:
        return
    except Refused:
        click.echo("punktfunk: the host that runs does not know it yet: restart it", err=True)
        raise SystemExit(1) from None
    click.echo("punktfunk: the host knows it already; the old one opens nothing", err=True)


def _until(it: dict[str, Any]) -> str:
    if it["expired"]:
        return "expired"
    if it["expires_at_unix"] is None:
        return "never expires"
    return "until " + time.strftime("%Y-%m-%d", time.localtime(it["expires_at_unix"]))


def _with_host_or_file(
    folder: Path, ask: Callable[[ApiClient], T], act: Callable[["_Files"], T]
) -> T:
    """Ask the host that runs; when none does, keep it from starting and do it ourselves."""
    try:
        api = ApiClient(local_host(folder))
    except NoHost:
        from punktfunk.host.runtime import RuntimeFile

        try:
            with RuntimeFile(folder):
                return act(_Files(folder))
        except AlreadyRunning:
            raise Refused("the host is just starting or stopping: try again") from None
    return ask(api)


class _Files:
    """The same without a host; answers look as the API's do."""

    def __init__(self, folder: Path) -> None:
        from punktfunk.mgmt.audit import Audit
        from punktfunk.trust.tokens import TokenStore

        self._store = TokenStore(folder)
        self._audit = Audit(folder)

    def create(self, scope: Scope, name: str, expires_days: int | None) -> Any:
        from punktfunk.mgmt.access_values import CreatedToken
        from punktfunk.mgmt.as_json import to_json

        text, made = self._store.create(scope, name, expires_days)
        self._audit.note_command("createToken", "/api/v1/tokens", 201)
        return to_json(CreatedToken(token=text, info=made))

    def list(self) -> Any:
        from punktfunk.mgmt.as_json import to_json

        return [to_json(it) for it in self._store.tokens()]

    def revoke(self, token_id: str) -> None:
        if not self._store.revoke(token_id):
            raise Refused("no token has that id", status=404)
        self._audit.note_command("revokeToken", f"/api/v1/tokens/{token_id}", 204)
