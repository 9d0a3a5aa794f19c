"""`punktfunk console`: opens the web console of the running host, logged in."""

import os
import webbrowser
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import click

from punktfunk.cli.api_client import ApiClient
from punktfunk.cli.folder import folder_option
from punktfunk.cli.target import local_host


@click.command()
@click.option("--no-browser", is_flag=True, help="Only print the link.")
@folder_option
def console(no_browser: bool, folder: Path) -> None:
    """Open the web console in a browser, by a link that logs it in once."""
    target = local_host(folder)
    made = ApiClient(target).ask("POST", "/console/link")
    link = f"{target.url}/login#code={made['code']}"
    click.echo(link)
    for remark in remarks(target.url, made["expires_in_s"], os.environ):
        click.echo(f"punktfunk: {remark}", err=True)
    if not no_browser and has_display(os.environ):
        webbrowser.open(link)


def remarks(url: str, expires_in_s: int, environment: Mapping[str, str]) -> Iterator[str]:
    """What a person should know of the link."""
    yield f"this link is good once, within {expires_in_s} seconds; keep it to yourself"
    if url.startswith("https:"):
        yield "a browser does not know a certificate that the host made itself, and will ask"
    if over_ssh(environment):
        there = urlsplit(url)
        yield (
            "on the machine you sit at, run this first, and then open the link there: "
            f"ssh -N -L {there.port}:{there.netloc} THIS-MACHINE"
        )


def over_ssh(environment: Mapping[str, str]) -> bool:
    return bool(environment.get("SSH_CONNECTION"))


def has_display(environment: Mapping[str, str]) -> bool:
    """Say whether a browser can show itself; one in a terminal is of no use here."""
    names = ("WAYLAND_DISPLAY", "DISPLAY")
    return not over_ssh(environment) and any(environment.get(name) for name in names)
