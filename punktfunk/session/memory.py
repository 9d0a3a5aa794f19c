"""What drivers want to know again in a later session: small private files, one a name."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from punktfunk.trust.files import damaged, make_private_folder, read_private, write_atomically

MAX_BYTES = 64 * 1024
_VERSION = 1
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Memory:
    """The folder is made when there is something to remember."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self, name: str) -> dict[str, str]:
        """Read what was remembered last; empty when nothing was.

        Raises:
            ConfigError: others can read the file.
            StateDamaged: it cannot be understood.
        """
        path = self._path(name)
        try:
            data = read_private(path, MAX_BYTES)
        except FileNotFoundError:
            return {}
        try:
            content = json.loads(data)
            version, values = content["version"], content["values"]
        except (ValueError, KeyError, TypeError) as error:
            # Not chained: the text of the cause could quote a secret.
            raise damaged(path, f"it is not one of ours ({type(error).__name__})") from None
        if version != _VERSION:
            raise damaged(path, "another version of punktfunk wrote it")
        if not isinstance(values, dict) or not all(isinstance(it, str) for it in values.values()):
            raise damaged(path, "it does not hold texts")
        return values

    def remember(self, name: str, values: Mapping[str, str]) -> None:
        """Replace what was remembered; no values remove the file.

        Raises:
            ConfigError: the folder cannot be used.
        """
        path = self._path(name)
        if not values:
            path.unlink(missing_ok=True)
            return
        make_private_folder(self._folder)
        content = {"version": _VERSION, "values": dict(values)}
        write_atomically(path, json.dumps(content, indent=1).encode() + b"\n")

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a name for something to remember: {name!r}")
        return self._folder / f"{name}.json"
