"""What a person attaches to a bug report: one text, made of what is named here and nothing else."""

import contextlib
import json
import os
import platform
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import attrs

from punktfunk import __version__
from punktfunk.config import LoadedConfig, load_config
from punktfunk.config.report import config_as_json
from punktfunk.errors import ConfigError, PunktfunkError
from punktfunk.host import plugins
from punktfunk.host.blotting import HIDDEN, Blotter
from punktfunk.host.doctor import examine
from punktfunk.trust.files import read_private
from punktfunk.trust.token import TOKEN_FILE, TOKEN_VARIABLE

MAX_FILES = 200
_MAX_DEPTH = 3
_MAX_TOKEN_FILE_BYTES = 4_096

_OPEN = re.compile(
    r"""(?x)
    (host|mgmt)\.bind | host\.log_level | stream\.(encryption|codecs) | drivers\..*
    | plugins\.(allow|deny) | (hook|webhook)\.on | webhook\.url
    | override\.(encryption|codecs|compositor|capture|encode|audio|input|gamepad)
    """
)
"""Settings whose texts are told. Numbers, switches and defaults always are."""
_PROGRAMS = frozenset({"desktop.command", "hook.command", "prep.do", "prep.undo"})


@attrs.frozen(kw_only=True)
class HostTold:
    """What the running host said, as its API puts it.

    Attributes:
        problem: Why it said nothing, such as that none runs.
        devices: Paired ones of both kinds.
        log: The newest lines, oldest first.
    """

    problem: str = ""
    status: Mapping[str, Any] = attrs.field(factory=dict)
    devices: Sequence[Mapping[str, Any]] = ()
    plugins: Sequence[Mapping[str, Any]] = ()
    log: Sequence[Mapping[str, Any]] = ()


@attrs.frozen(kw_only=True)
class BugReport:
    """Attributes:
    sections: Lines by title, in this order; nothing in them is secret any more.
    """

    made_at: str
    sections: Mapping[str, Sequence[str]]

    def to_text(self) -> str:
        """Return Markdown; what was found stands indented, so that it cannot be markup."""
        lines = ["# punktfunk report", "", f"Made {self.made_at}."]
        for title, found in self.sections.items():
            lines += ["", f"## {title}", "", *(f"    {line}".rstrip() for line in found)]
        return "\n".join([*lines, ""])


async def make_report(
    folder: Path, environment: Mapping[str, str], installed: Iterable[str], told: HostTold
) -> BugReport:
    """Look at this machine and put it together.

    Args:
        installed: Names of the plugins, as for `load_config`.
    """
    blotter = Blotter()
    blotter.add_secrets(_tokens(folder, environment))
    blotter.add_devices(
        [str(it.get("name", "")) for it in told.devices],
        [str(it.get("fingerprint", "")) for it in told.devices],
    )
    loaded, problem = _load(folder, environment, frozenset(installed))
    blotter.add_secrets(_hidden_texts(loaded))
    configuration = [problem] if problem else list(_configuration(loaded))
    notice = ["(with the defaults, as the configuration cannot be used)"] if problem else []
    try:
        doctor = await examine(loaded, folder, plugins.plugin_filter(loaded.settings), environment)
        health, plugin_list = doctor.to_text(), plugins.as_text(doctor.probe)
    except PunktfunkError as error:
        health = plugin_list = f"cannot be told: {error}"
    sections = {
        "Versions": _versions(),
        "Running host": _running(told),
        "Doctor": [*notice, *health.split("\n")],
        "Plugins": [*notice, *plugin_list.split("\n")],
        "Configuration": configuration,
        "Files in the configuration folder": _files(folder),
        "Log": [_log_line(it) for it in told.log] or ["no lines"],
    }
    return BugReport(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        sections={title: blotter.blotted(lines) for title, lines in sections.items()},
    )


def _load(
    folder: Path, environment: Mapping[str, str], installed: frozenset[str]
) -> tuple[LoadedConfig, str]:
    """The configuration, or the defaults and what is wrong with it."""
    try:
        return load_config(folder, environment=environment, plugins=installed), ""
    except ConfigError as error:
        # The end of the sentence may quote a value, and that may be one in the wrong place.
        problem = str(error).partition(", not ")[0]
        return load_config(folder, environment={}, text=""), f"cannot be used: {problem}"


def _tokens(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Tokens that something might quote."""
    yield environment.get(TOKEN_VARIABLE, "")
    with contextlib.suppress(PunktfunkError, OSError):
        line = read_private(folder / TOKEN_FILE, _MAX_TOKEN_FILE_BYTES).decode(errors="replace")
        yield line.strip().removeprefix(f"{TOKEN_VARIABLE}=")


def _hidden_texts(loaded: LoadedConfig) -> Iterator[str]:
    """Texts of the configuration that are not told, for they may be quoted elsewhere."""
    settings = loaded.settings
    yield from _texts_in(settings.plugin)
    for webhook in settings.webhook:
        yield webhook.url
        yield "/" + webhook.url.split("://", 1)[-1].partition("/")[2]
    programs = (
        *(hook.command for hook in settings.hook),
        *(command for prep in settings.prep for command in (prep.do, prep.undo)),
        settings.desktop.command,
    )
    for words in programs:
        yield from words[1:]


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from _texts_in(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _texts_in(member)


def _versions() -> list[str]:
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = "unknown"
    return [
        f"punktfunk {__version__}",
        f"Python {platform.python_version()} ({platform.python_implementation()})",
        f"kernel {platform.release()} {platform.machine()}",
        f"distribution {system}",
    ]


def _running(told: HostTold) -> list[str]:
    if told.problem:
        return [told.problem]
    status = told.status
    lines = [
        f"{name.replace('_', ' ')}: {_json(status.get(name))}"
        for name in ("video_streaming", "audio_streaming", "pin_pending", "paired_clients")
    ]
    for it in status.get("sessions", ()):
        parts = (it, it.get("stream") or {}, it.get("stats") or {})
        lines.append(
            f"session {it.get('id')}: {', '.join(_json(_figures(part)) for part in parts)}"
        )
    devices = (f"device {it.get('name')} ({it.get('fingerprint')})" for it in told.devices)
    states = (
        f"plugin {it.get('name')}: {it.get('state')} {it.get('reason')}" for it in told.plugins
    )
    return [*lines, *devices, *states]


def _figures(part: Mapping[str, Any]) -> dict[str, Any]:
    """What names nobody: numbers, switches and the codec."""
    return {
        name: value
        for name, value in part.items()
        if isinstance(value, int | float) or name == "codec"
    }


def _configuration(loaded: LoadedConfig) -> Iterator[str]:
    plain = config_as_json(loaded)
    yield from (f"warning: {text}" for text in plain["warnings"])
    for it in plain["settings"]:
        key, value = it["key"], it["value"]
        told = _json(value) if value == it["default"] else _told(key, value)
        yield f"{key} = {told}  # {it['source']} {it['place']}".rstrip()
    for name, table in plain["plugin"].items():
        for key, value in table.items():
            told = _json(value) if isinstance(value, bool) else HIDDEN
            yield f"plugin.{name}.{key} = {told}"


def _told(key: str, value: Any) -> str:
    name = re.sub(r"\[\d+\]", "", key)
    if name in _PROGRAMS:
        return f"{_json(value[0])} and {len(value) - 1} arguments"
    if _OPEN.fullmatch(name) or not isinstance(value, str | list | tuple):
        return _json(value)
    return HIDDEN


def _files(folder: Path) -> list[str]:
    """Mode, size and name of each; no file is opened."""
    try:
        found = list(islice(_walk(folder, folder, _MAX_DEPTH), MAX_FILES + 1))
    except OSError as error:
        return [f"cannot be looked at: {error.strerror}"]
    return found if len(found) <= MAX_FILES else [*found[:MAX_FILES], "and more"]


def _walk(top: Path, path: Path, depth: int) -> Iterator[str]:
    status = path.lstat()
    name = f"{path.relative_to(top)}{'/' if stat.S_ISDIR(status.st_mode) else ''}"
    mark = " (a link)" if stat.S_ISLNK(status.st_mode) else ""
    yield f"{stat.S_IMODE(status.st_mode):04o} {status.st_size:>9} {name}{mark}"
    if stat.S_ISDIR(status.st_mode) and depth and os.access(path, os.R_OK | os.X_OK):
        for entry in sorted(path.iterdir()):
            yield from _walk(top, entry, depth - 1)


def _log_line(it: Mapping[str, Any]) -> str:
    return f"{it.get('time')} {it.get('level')} {it.get('logger')}: {it.get('message')}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
