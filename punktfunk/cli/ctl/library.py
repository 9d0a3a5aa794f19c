"""`punktfunk ctl library`: the games, their stores, and entries of a person's own."""

import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from punktfunk.cli.ctl.asking import Ctl, F, Noun, make_sense, verb
from punktfunk.cli.ctl.tables import Lines, Shown, Table
from punktfunk.errors import Refused
from punktfunk.library.pictures import media_type_of

REFRESH_TIMEOUT_S = 90.0
"""The host waits a minute for its stores."""

_CUSTOM = "custom:"
_PICTURES = ("portrait", "header", "hero", "logo")


@click.group(cls=Noun, bare="list")
def library() -> None:
    """Show the games, and make entries of your own."""


@library.command("list")
@click.option("--store", metavar="NAME", help="Only the games of this store.")
@verb
def list_games(ctl: Ctl, store: str | None) -> None:
    """Show the games of all stores. The default."""
    found = ctl.ask("GET", "/library")
    if store is not None:
        found = make_sense(found, lambda games: [it for it in games if it["store"] == store])
    ctl.show(found, _games, none="there are no games here")


@library.command()
@verb
def stores(ctl: Ctl) -> None:
    """Show how the stores are doing."""
    ctl.show(ctl.ask("GET", "/library/stores"), _stores, none="there are no stores")


@library.command()
@verb
def refresh(ctl: Ctl) -> None:
    """Have all stores list their games again, now."""
    found = ctl.ask("POST", "/library/refresh", timeout_s=REFRESH_TIMEOUT_S)
    ctl.show(found, _stores, none="there are no stores")


def _entry_options(command: F) -> F:
    for name in reversed(_PICTURES):
        command = click.option(f"--{name}", metavar="URL", help="Address of a picture.")(command)
    launch = click.option(
        "--launch",
        nargs=2,
        metavar="KIND VALUE",
        help='How it starts: `command "supertux2"`, `steam_appid 570`, or a kind of a store.',
    )
    return launch(command)


@library.command()
@click.argument("title")
@_entry_options
@verb
def add(ctl: Ctl, title: str, launch: tuple[str, str] | None, **art: str | None) -> None:
    """Make an entry of your own."""
    entry: dict[str, Any] = {"title": title, "art": art}
    if launch:
        entry["launch"] = _launch(launch)
    ctl.show(ctl.ask("POST", "/library/custom", entry), _made)


@library.command()
@click.argument("game_id", metavar="ID")
@click.option("--title", metavar="T", help="What it is called.")
@_entry_options
@verb
def edit(
    ctl: Ctl, game_id: str, title: str | None, launch: tuple[str, str] | None, **art: str | None
) -> None:
    """Change an entry of your own; what is not named stays. An empty URL takes a picture away."""
    number = game_id.removeprefix(_CUSTOM)
    entry = _find(ctl, number)
    changed = {kind: address or None for kind, address in art.items() if address is not None}
    wanted = {
        "title": entry["title"] if title is None else title,
        "art": {**entry["art"], **changed},
        "launch": _launch(launch) if launch else entry.get("launch"),
    }
    ctl.show(ctl.ask("PUT", f"/library/custom/{quote(number, safe='')}", wanted), _made)


@library.command()
@click.argument("game_id", metavar="ID")
@verb
def remove(ctl: Ctl, game_id: str) -> None:
    """Forget an entry of your own."""
    ctl.ask("DELETE", f"/library/custom/{quote(game_id.removeprefix(_CUSTOM), safe='')}")
    ctl.remark("it is gone")


@library.command()
@click.argument("game_id", metavar="ID")
@verb
def hide(ctl: Ctl, game_id: str) -> None:
    """Keep a game out of Moonlight's list."""
    ctl.ask("PUT", f"/library/hidden/{quote(game_id, safe=':')}")
    ctl.remark("it is hidden")


@library.command()
@click.argument("game_id", metavar="ID")
@verb
def unhide(ctl: Ctl, game_id: str) -> None:
    """Have a game in Moonlight's list again."""
    ctl.ask("DELETE", f"/library/hidden/{quote(game_id, safe=':')}")
    ctl.remark("it is listed again")


@library.command()
@click.argument("game_id", metavar="ID")
@click.argument("kind", type=click.Choice(_PICTURES))
@click.option("--output", "-o", metavar="FILE", help="Where to. [default: standard output]")
@verb
def art(ctl: Ctl, game_id: str, kind: str, output: str | None) -> None:
    """Get a picture that the host has in a file."""
    if output is None and sys.stdout.isatty():
        raise click.UsageError("a picture is nothing for a terminal: say where with --output")
    picture = ctl.client().fetch("GET", f"/library/art/{quote(game_id, safe=':')}/{kind}")
    if output is None:
        sys.stdout.buffer.write(picture)
        return
    try:
        Path(output).write_bytes(picture)
    except OSError as error:
        raise click.FileError(output, error.strerror) from error


@library.command()
@click.argument("game_id", metavar="ID")
@click.argument("kind", type=click.Choice(_PICTURES))
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--remove", is_flag=True, help="Take away the one that was given.")
@verb
def picture(ctl: Ctl, game_id: str, kind: str, file: Path | None, remove: bool) -> None:
    """Give an entry of your own a picture from a PNG, JPEG or WebP FILE."""
    if (file is None) is not remove:
        raise click.UsageError("name a file, or say --remove")
    path = f"/library/custom/{quote(game_id.removeprefix(_CUSTOM), safe='')}/art/{kind}"
    if file is None:
        ctl.ask("DELETE", path)
        ctl.remark("it is gone")
        return
    try:
        data = file.read_bytes()
    except OSError as error:
        raise click.FileError(str(file), error.strerror) from error
    ctl.client().send("PUT", path, data, media_type_of(data) or "application/octet-stream")
    ctl.remark("the host has it")


def _find(ctl: Ctl, number: str) -> dict[str, Any]:
    games = make_sense(ctl.ask("GET", "/library"), lambda found: {it["id"]: it for it in found})
    if (entry := games.get(f"{_CUSTOM}{number}")) is None:
        raise Refused("no entry of your own has that id", status=404)
    return make_sense(entry, lambda it: {**it, "title": it["title"], "art": dict(it["art"])})


def _launch(launch: tuple[str, str]) -> dict[str, str]:
    return {"kind": launch[0], "value": launch[1]}


def _games(found: list[dict[str, Any]]) -> Shown:
    return Table(
        ("ID", "STORE", "INSTALLED", "TITLE"),
        ((it["id"], it["store"], it.get("installed", True), it["title"]) for it in found),
        wide=3,
    )


def _made(it: dict[str, Any]) -> Shown:
    return Table(("ID", "TITLE"), [(f"{_CUSTOM}{it['id']}", it["title"])], wide=1)


def _stores(found: list[dict[str, Any]]) -> Shown:
    table = Table(
        ("STORE", "STATE", "GAMES", "REASON"),
        ((it["name"], it["state"], it["count"], it["reason"]) for it in found),
        wide=3,
    )
    left_out = [(it["name"], problem) for it in found for problem in it["problems"]]
    if not left_out:
        return table
    return Lines(table, "", Table(("STORE", "LEFT OUT"), left_out, wide=1))
