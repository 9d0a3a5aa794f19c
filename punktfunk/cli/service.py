"""`punktfunk service`: a systemd user unit, enabled by nobody but the user."""

import os
import sys
from importlib.resources import files
from pathlib import Path

import click

from punktfunk.cli.folder import folder_option
from punktfunk.config.folder import config_folder
from punktfunk.errors import PunktfunkError, Refused
from punktfunk.trust.files import write_atomically

UNIT = "punktfunk.service"
_MARK = "# Written by `punktfunk service install`."


@click.group()
def service() -> None:
    """Start the host with your session, by systemd."""


@service.command()
@folder_option
def install(folder: Path) -> None:
    """Write the unit; enable it with the line that is printed."""
    path = install_unit(unit_folder(), folder)
    click.echo(f"Wrote {path}. It is not enabled. To start it now and with every login:")
    click.echo(f"  systemctl --user daemon-reload && systemctl --user enable --now {UNIT}")
    click.echo("To keep it running while nobody is logged in:  loginctl enable-linger")


@service.command()
def uninstall() -> None:
    """Remove the unit, and what enabled it."""
    path = unit_folder() / UNIT
    if not remove_unit(path):
        click.echo(f"punktfunk: there is no {path}", err=True)
        raise SystemExit(1)
    click.echo(f"Removed {path}. If it still runs:")
    click.echo(f"  systemctl --user stop {UNIT}; systemctl --user daemon-reload")


def unit_folder() -> Path:
    base = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    if not base.is_absolute():
        base = Path("~/.config").expanduser()
    return base / "systemd" / "user"


def install_unit(units: Path, folder: Path) -> Path:
    """Write the unit; a config folder that is not the default one is named in it.

    Raises:
        Refused: there is a unit of that name that somebody else wrote.
    """
    path = units / UNIT
    if path.exists() and not _is_ours(path):
        raise Refused(f"{path} was written by somebody else; move it away first")
    command = [sys.executable, "-m", "punktfunk.cli", "serve"]
    if folder != config_folder(None, {}):
        command += ["--config-dir", str(folder)]
    template = files("punktfunk.cli").joinpath(UNIT).read_text()
    text = template.replace("@COMMAND@", " ".join(map(_quoted, command)))
    try:
        units.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())
    except OSError as error:
        raise PunktfunkError(f"{path} cannot be written: {error.strerror}") from error
    return path


def remove_unit(path: Path) -> bool:
    """Remove the unit if it is ours, and the link by which it was enabled.

    Says whether it was there.

    Raises:
        Refused: somebody else wrote it.
    """
    if not path.exists():
        return False
    if not _is_ours(path):
        raise Refused(f"{path} was written by somebody else; it is left alone")
    (path.parent / "default.target.wants" / UNIT).unlink(missing_ok=True)
    path.unlink()
    return True


def _is_ours(path: Path) -> bool:
    return path.read_text(errors="replace").startswith(_MARK)


def _quoted(word: str) -> str:
    """Quote for ExecStart=, where % and $ mean something too.

    Raises:
        Refused: no unit file can hold it.
    """
    if not word.isprintable():
        raise Refused(f"a unit cannot hold the path {word!r}")
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'
