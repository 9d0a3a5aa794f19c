"""The udev rules for our devices. `python -m punktfunk_gamepad_uinput.rules` prints them.

Nothing here installs them: that takes root, and is for a person to do.
"""

import argparse
import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

FILE_NAME = "72-punktfunk-gamepads.rules"
FOLDERS = ("/etc/udev/rules.d", "/run/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d")
COMMAND = "python -m punktfunk_gamepad_uinput.rules"
INSTALL = (
    f"print the udev rules with the host's own Python, `{COMMAND} | sudo tee "
    f"/etc/udev/rules.d/{FILE_NAME}`, then `sudo udevadm control --reload && "
    "sudo udevadm trigger --subsystem-match=misc`"
)

_GROUP = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


def text(group: str = "") -> str:
    """The rules.

    Args:
        group: Whose members may use the devices too, for a machine where nobody logs in.

    Raises:
        ValueError: that is no name of a group.
    """
    rules = (files(__package__) / "data" / FILE_NAME).read_text(encoding="utf-8")
    if not group:
        return rules
    if not _GROUP.fullmatch(group):
        raise ValueError(f"not the name of a group: {group!r}")
    return rules.replace('TAG+="uaccess"', f'TAG+="uaccess", GROUP="{group}", MODE="0660"')


def remark(folders: Iterable[str] = FOLDERS) -> str:
    """What is to be said of the rules on this machine; empty when they are installed."""
    for folder in folders:
        try:
            installed = (Path(folder) / FILE_NAME).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        wanted, found = _meaning(text()), _meaning(installed)
        return "" if found == wanted else f"the udev rules in {folder} are older: {INSTALL}"
    return f"without its udev rules a pad's touchpad moves this machine's pointer: {INSTALL}"


def _meaning(rules: str) -> list[str]:
    """Without comments, and without the group that a person may have put in."""
    plain = re.sub(r', GROUP="[^"]*", MODE="0660"', "", rules)
    return [line for line in plain.splitlines() if line and not line.startswith("#")]


def main() -> None:
    """Print the rules, or a reason why not."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Print the udev rules.")
    parser.add_argument(
        "--group", default="", help="let its members use the devices too, where nobody logs in"
    )
    try:
        print(text(parser.parse_args().group), end="")
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
