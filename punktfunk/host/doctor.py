"""What this machine can stream with, and what is in the way."""

import errno
import os
import socket
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import cattrs

from punktfunk.config import LoadedConfig
from punktfunk.config.addresses import parse_bind
from punktfunk.errors import PunktfunkError, Refused
from punktfunk.host.apps import app_list
from punktfunk.host.catalog import Catalog
from punktfunk.host.ports import Ports
from punktfunk.host.runtime import read_runtime
from punktfunk.model.offers import Choice, Kind
from punktfunk.registry.discovery import PluginFilter
from punktfunk.registry.facts import gather_facts
from punktfunk.registry.report import ProbeReport
from punktfunk.session.plan import cast_drivers

_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
_MARKS = {True: "ok", False: "no"}


@attrs.frozen(kw_only=True)
class Check:
    """Attributes:
    remark: What was found, in one sentence.
    hint: What a person can do about it; empty when there is nothing to do.
    """

    name: str
    ok: bool
    remark: str
    hint: str = ""


@attrs.frozen(kw_only=True)
class DoctorReport:
    """Attributes:
    choices: By kind, what a session without a wish would get, and why not the others.
    apps: One check an app of the app list: can it be launched?
    checks: Of the machine around.
    """

    probe: ProbeReport
    choices: tuple[Choice, ...]
    apps: tuple[Check, ...]
    checks: tuple[Check, ...]

    @property
    def can_stream(self) -> bool:
        """Some app can be launched, and nothing keeps the host from listening."""
        return any(app.ok for app in self.apps) and all(check.ok for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "can_stream": self.can_stream,
            "apps": [cattrs.unstructure(app) for app in self.apps],
            "checks": [cattrs.unstructure(check) for check in self.checks],
            "choices": [_choice_to_json(choice) for choice in self.choices],
            "probe": self.probe.to_json(),
        }

    def to_text(self) -> str:
        """Return what a person reads from top to bottom."""
        lines = ["Apps", *_check_lines(self.apps), "", "Machine", *_check_lines(self.checks)]
        for choice in self.choices:
            picked = choice.picked
            lines += ["", choice.kind.value.replace("_", " ").capitalize()]
            if picked:
                codecs = ", ".join(sorted(picked.codecs))
                detail = f" ({codecs})" if codecs else ""
                lines.append(f"  ok  {picked.driver}: {picked.title or picked.driver}{detail}")
            else:
                lines.append("  no  nothing fits")
            lines += [f"      {it.offer.driver}: {it.because}" for it in choice.passed_over]
        problems = [
            f"  {plugin.record.name}: {problem}"
            for plugin in self.probe.plugins
            for problem in (plugin.record.reason, *plugin.problems)
            if problem
        ]
        if problems:
            lines += ["", "Plugins", *problems]
        verdict = "This machine can stream." if self.can_stream else "This machine cannot stream."
        return "\n".join([*lines, "", verdict])


async def examine(
    loaded: LoadedConfig,
    config_dir: Path,
    wanted: PluginFilter,
    environment: Mapping[str, str],
) -> DoctorReport:
    """Probe the plugins as the host would, and look at the machine around them."""
    settings = loaded.settings
    catalog = Catalog(settings, gather_facts(settings.plugin), wanted)
    report = await catalog.refresh()
    return DoctorReport(
        probe=report,
        choices=tuple(catalog.choice(kind) for kind in Kind),
        apps=tuple(_app_checks(catalog, loaded)),
        checks=(
            *_port_checks(loaded, config_dir),
            _folder_check(config_dir),
            _runtime_check(environment),
            _font_check(),
        ),
    )


def _app_checks(catalog: Catalog, loaded: LoadedConfig) -> Iterable[Check]:
    for app in app_list(loaded.settings):
        try:
            cast = cast_drivers(app, catalog.offers, catalog.preferences)
        except Refused as error:
            yield Check(name=app.title, ok=False, remark=str(error))
        else:
            parts = (cast.compositor, cast.capture, cast.encoders[0], cast.audio)
            drivers = ", ".join(offer.driver for offer in parts)
            yield Check(name=app.title, ok=True, remark=f"can be launched, with {drivers}")


def _port_checks(loaded: LoadedConfig, config_dir: Path) -> Iterable[Check]:
    """Whether our ports are free; a host of this folder that has them is no obstacle."""
    try:
        running = read_runtime(config_dir)
    except PunktfunkError as error:
        yield Check(name="host", ok=False, remark=str(error))
        return
    if running is not None:
        remark = f"a host runs with this folder, process {running.pid}, {running.mgmt_url}"
        yield Check(name="ports", ok=True, remark=remark)
        return
    host = loaded.settings.host
    ports = Ports(host.base_port)
    media = ports.media(0)
    mgmt = parse_bind(loaded.settings.mgmt.bind)
    wanted = [
        *((host.bind, port, socket.SOCK_STREAM) for port in (ports.http, ports.https, ports.rtsp)),
        *(
            (host.bind, port, socket.SOCK_DGRAM)
            for port in (media.video, media.control, media.audio)
        ),
        (str(mgmt.address), mgmt.port, socket.SOCK_STREAM),
    ]
    problems = [problem for it in wanted if (problem := _port_problem(*it))]
    if problems:
        hint = "stop the other program, or move with --base-port or --mgmt-bind"
        yield Check(name="ports", ok=False, remark="; ".join(problems), hint=hint)
    else:
        numbers = ", ".join(str(port) for _, port, _ in wanted)
        yield Check(name="ports", ok=True, remark=f"free: {numbers}")


def _port_problem(address: str, port: int, kind: socket.SocketKind) -> str:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as trial:
        if kind == socket.SOCK_STREAM:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                protocol = "TCP" if kind == socket.SOCK_STREAM else "UDP"
                return f"{protocol} port {port} is taken"
            return f"{address or '0.0.0.0'}:{port}: {error.strerror}"
    return ""


def _folder_check(config_dir: Path) -> Check:
    name = "configuration folder"
    nearest = config_dir
    while not nearest.exists():
        nearest = nearest.parent
    if not os.access(nearest, os.W_OK | os.X_OK):
        hint = "choose another one with --config-dir"
        remark = f"{config_dir} cannot be written"
        return Check(name=name, ok=False, remark=remark, hint=hint)
    if nearest == config_dir and stat.S_IMODE(config_dir.stat().st_mode) & 0o077:
        remark = f"{config_dir} is open to other users; the host closes it when it starts"
        return Check(name=name, ok=True, remark=remark)
    return Check(name=name, ok=True, remark=str(config_dir))


def _runtime_check(environment: Mapping[str, str]) -> Check:
    folder = environment.get("XDG_RUNTIME_DIR", "")
    if folder and os.access(folder, os.W_OK | os.X_OK):
        return Check(name="runtime folder", ok=True, remark=folder)
    remark = "no XDG_RUNTIME_DIR; a private folder among the temporary files is used instead"
    return Check(name="runtime folder", ok=True, remark=remark)


def _font_check() -> Check:
    found = any(_has_fonts(Path(folder).expanduser()) for folder in _FONT_FOLDERS)
    remark = "installed" if found else "none is installed: terminals will not start"
    hint = "" if found else "install some, such as the package fonts-dejavu-core"
    return Check(name="fonts", ok=True, remark=remark, hint=hint)


def _has_fonts(folder: Path) -> bool:
    suffixes = {".ttf", ".otf", ".ttc", ".pcf", ".gz"}
    return any(path.suffix in suffixes for path in folder.rglob("*"))


def _check_lines(checks: Sequence[Check]) -> list[str]:
    lines = []
    for check in checks:
        lines.append(f"  {_MARKS[check.ok]}  {check.name}: {check.remark}")
        if check.hint:
            lines.append(f"      {check.hint}")
    return lines


def _choice_to_json(choice: Choice) -> dict[str, Any]:
    return {
        "kind": choice.kind.value,
        "picked": choice.picked.driver if choice.picked else None,
        "passed_over": [
            {"driver": passed.offer.driver, "because": passed.because}
            for passed in choice.passed_over
        ],
    }
