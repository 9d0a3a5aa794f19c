"""Which node of a PipeWire is which gamescope's."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from punktfunk.plugin import DriverFailed

PROGRAM = "pw-dump"
NAME = "gamescope"
_TIMEOUT_S = 5.0
_MOST_SIDE_PX = 16_384


@attrs.frozen
class Node:
    """A node called gamescope.

    Attributes:
        pid: The process that made it, as PipeWire knows it; 0 where it does not.
        size_px: Of its picture; None where it does not say.
    """

    number: int
    pid: int
    size_px: tuple[int, int] | None


def gamescope_nodes(runtime: Path, path: str | None) -> list[Node]:
    """The nodes on the PipeWire whose socket is in a folder.

    Raises:
        DriverFailed: PipeWire does not answer, or not in its own words.
    """
    environment = {
        "PATH": path or os.defpath,
        "XDG_RUNTIME_DIR": str(runtime),
        "PIPEWIRE_RUNTIME_DIR": str(runtime),
    }
    try:
        answer = subprocess.run(
            [PROGRAM],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=True,
        )
        return list(_read(json.loads(answer.stdout)))
    except (OSError, subprocess.SubprocessError) as error:
        raise DriverFailed(f"PipeWire does not say what it has: {error}") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DriverFailed(f"{PROGRAM} says what makes no sense: {error}") from error


def _read(objects: Any) -> Iterator[Node]:
    properties = {each.get("id"): _properties(each) for each in objects}
    for each in objects:
        own = properties[each.get("id")]
        if own.get("node.name") != NAME or own.get("media.class") != "Video/Source":
            continue
        client = properties.get(own.get("client.id"), {})
        pid = client.get("pipewire.sec.pid") or client.get("application.process.id") or 0
        formats = each["info"].get("params", {}).get("EnumFormat") or []
        yield Node(int(each["id"]), int(pid), next(_sizes(formats), None))


def _properties(each: Any) -> dict[str, Any]:
    properties = (each.get("info") or {}).get("props") or {}
    return properties if isinstance(properties, dict) else {}


def _sizes(formats: Any) -> Iterator[tuple[int, int]]:
    """The sizes that are one size, not a choice."""
    for offered in formats:
        size = offered.get("size", {})
        width, height = size.get("width"), size.get("height")
        if all(isinstance(side, int) and 16 <= side <= _MOST_SIDE_PX for side in (width, height)):
            yield width, height
