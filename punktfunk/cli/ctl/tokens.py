"""`punktfunk ctl tokens`: tokens for programs, also of a host elsewhere."""

from typing import Any
from urllib.parse import quote

import click

from punktfunk.cli.ctl.asking import Ctl, Noun, make_sense, print_json, verb
from punktfunk.cli.ctl.tables import Shown, Table, ago
from punktfunk.model.access import Scope


@click.group(cls=Noun, bare="list")
def tokens() -> None:
    """Make, show or revoke tokens for programs."""


@tokens.command("list")
@verb
def list_tokens(ctl: Ctl) -> None:
    """Show what is known of every token. The default."""
    ctl.show(ctl.ask("GET", "/tokens"), _table, none="there are none besides the administrator's")


@tokens.command()
@click.option(
    "--scope",
    required=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="read looks, control also pairs and steers sessions, admin may do everything.",
)
@click.option("--name", metavar="N", help="What it is for.")
@click.option(
    "--expires", "days", type=click.IntRange(1, 3_650), metavar="DAYS", help="[default: never]"
)
@verb
def create(ctl: Ctl, scope: str, name: str | None, days: int | None) -> None:
    """Make a token and print it, this once."""
    made = ctl.ask("POST", "/tokens", {"scope": scope, "name": name, "expires_days": days})
    if ctl.as_json:
        print_json(made)
        return
    text, token_id = make_sense(made, lambda it: (str(it["token"]), str(it["info"]["id"])))
    click.echo(text)
    ctl.remark(f"its id is {token_id}; it is not shown again")


@tokens.command()
@click.argument("token_id", metavar="ID")
@verb
def revoke(ctl: Ctl, token_id: str) -> None:
    """Shut the holder of a token out, at once."""
    ctl.ask("DELETE", f"/tokens/{quote(token_id, safe='')}")
    ctl.remark("it is revoked")


@tokens.command("log-out")
@verb
def log_out(ctl: Ctl) -> None:
    """Log every browser out of the console; tokens stay good."""
    ctl.ask("DELETE", "/console/logins")
    ctl.remark("nobody is logged in to the console any more")


def _table(found: list[dict[str, Any]]) -> Shown:
    return Table(
        ("ID", "SCOPE", "MADE", "EXPIRES", "NAME"),
        (
            (it["id"], it["scope"], ago(it["created_at_unix"]), _expires(it), it["name"])
            for it in found
        ),
        wide=4,
    )


def _expires(it: dict[str, Any]) -> str:
    if it["expired"]:
        return "expired"
    return "never" if it["expires_at_unix"] is None else ago(it["expires_at_unix"])
