"""Where the configuration lives: one folder, found in one order."""

from collections.abc import Mapping
from pathlib import Path

FOLDER_VARIABLE = "PUNKTFUNK_CONFIG_DIR"


def config_folder(flag: str | None, environment: Mapping[str, str]) -> Path:
    """Return the absolute folder: `--config-dir`, the variable, or the XDG folder."""
    if named := flag or environment.get(FOLDER_VARIABLE):
        return Path(named).expanduser().absolute()
    base = Path(environment.get("XDG_CONFIG_HOME", ""))
    if not base.is_absolute():  # the XDG rules: a relative one is to be ignored
        base = Path("~/.config").expanduser()
    return base / "punktfunk"
