"""Folders of the host beside its configuration."""

import os
import tempfile
from pathlib import Path

from punktfunk.errors import ConfigError
from punktfunk.trust.files import make_private_folder


def runtime_folder() -> Path:
    """Parent of the sessions' runtime folders: private, with a path short enough for sockets."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and os.access(base, os.W_OK):
        folder = Path(base) / "punktfunk"
    else:
        folder = Path(tempfile.gettempdir()) / f"punktfunk-{os.getuid()}"
    make_private_folder(folder)
    if folder.stat().st_uid != os.getuid():
        raise ConfigError(f"{folder} belongs to someone else: remove it")
    return folder


def box_art_folder() -> Path:
    """Where pictures are kept that can be made again."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():  # the XDG rules: a relative one is to be ignored
        base = Path("~/.cache").expanduser()
    return base / "punktfunk" / "box-art"
