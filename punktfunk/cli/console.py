"""`punktfunk console`: opens the web console of the running host, logged in."""

import os
import tempfile
import time
import webbrowser
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

import click

from punktfunk.cli.api_client import ApiClient
from punktfunk.cli.folder import folder_option
from punktfunk.cli.phone import address_for_phones, code_picture
from punktfunk.cli.target import local_host
from punktfunk.host.folders import runtime_folder
from punktfunk.trust.files import write_atomically

TIME_TO_READ_S = 10.0
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={link}">
<title>punktfunk</title>
<p><a href="{link}">Open the console</a></p>
</html>
"""


@click.command()
@click.option("--no-browser", is_flag=True, help="Only print the link.")
@click.option("--phone", is_flag=True, help="Show a code for another device's camera instead.")
@folder_option
def console(no_browser: bool, phone: bool, folder: Path) -> None:
    """Open the web console in a browser, by a link that logs it in once."""
    target = local_host(folder)
    api = ApiClient(target)
    url = _address_for_phones(api) if phone else target.url
    made = api.ask("POST", "/console/link")
    link = f"{url}/login?link#code={made['code']}"
    if phone:
        click.echo(code_picture(link))
    click.echo(link)
    for remark in remarks(url, made["expires_in_s"], {} if phone else os.environ):
        click.echo(f"punktfunk: {remark}", err=True)
    if not (no_browser or phone) and has_display(os.environ):
        _open(link)


def _address_for_phones(api: ApiClient) -> str:
    settings = {it["key"]: it["value"] for it in api.ask("GET", "/config")["settings"]}
    return address_for_phones(settings, api.ask("GET", "/host"))


def _open(link: str) -> None:
    """Every user of this machine may read what programs are started with, so the browser is
    told a file that only its owner can read, and finds the link in there.
    """
    with tempfile.TemporaryDirectory(dir=runtime_folder(), prefix="link-") as folder:
        page = Path(folder) / "console.html"
        write_atomically(page, _PAGE.format(link=escape(link)).encode())
        if webbrowser.open(page.as_uri()):
            time.sleep(TIME_TO_READ_S)


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
