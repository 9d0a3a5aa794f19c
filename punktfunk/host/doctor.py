"""What this machine can stream with, and what is in the way."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import cattrs

from punktfunk.config import LoadedConfig
from punktfunk.config.chain import session_settings
from punktfunk.errors import PunktfunkError, Refused
from punktfunk.host.apps import app_list
from punktfunk.host.catalog import Catalog
from punktfunk.host.checks import Check, machine_checks
from punktfunk.host.policy import preferences
from punktfunk.model.apps import App
from punktfunk.model.offers import Choice, Kind
from punktfunk.registry.discovery import PluginFilter
from punktfunk.registry.facts import gather_facts
from punktfunk.registry.report import PluginReport, ProbeReport
from punktfunk.session.plan import cast_drivers

_MARKS = {True: "ok", False: "no"}


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
                lines.append(f"  ok  {picked.name}: {picked.title or picked.driver}{detail}")
                if remark := picked.availability.reason:
                    lines.append(f"      {remark}")
            else:
                lines.append("  no  nothing fits")
            lines += [f"      {it.offer.name}: {it.because}" for it in choice.passed_over]
        problems = [
            f"  {plugin.record.name}: {problem}"
            for plugin in self.probe.plugins
            for problem in (plugin.record.reason, _said_no(plugin), *plugin.problems)
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
            *machine_checks(loaded, config_dir, environment),
            *_settings_checks(catalog, loaded),
        ),
    )


def _app_checks(catalog: Catalog, loaded: LoadedConfig) -> Iterable[Check]:
    for app in app_list(loaded.settings):
        try:
            wanted = session_settings(loaded.settings, app.library_id, client="")
            order, attach = preferences(wanted.drivers), wanted.desktop.mode == "attach"
            cast = cast_drivers(app, catalog.offers, order, attach=attach)
        except Refused as error:
            yield Check(name=app.title, ok=False, remark=str(error))
        else:
            if missing := _missing_program(app):
                yield Check(name=app.title, ok=False, remark=missing)
                continue
            parts = (cast.compositor, cast.capture, cast.encoders[0], cast.audio)
            drivers = ", ".join(offer.driver for offer in parts)
            yield Check(name=app.title, ok=True, remark=f"can be launched, with {drivers}")


def _missing_program(app: App) -> str:
    program = app.launch.argv[0] if app.launch.argv else ""
    if not program or shutil.which(program):
        return ""
    return f"its program {program} is not there, or cannot be run"


def _settings_checks(catalog: Catalog, loaded: LoadedConfig) -> Iterable[Check]:
    """What the configuration says of plugins and drivers, held against those that are here."""
    try:
        catalog.check_settings(loaded.place)
    except PunktfunkError as error:
        yield Check(name="plugin settings", ok=False, remark=str(error))
    for problem in catalog.unknown_names(loaded.settings):
        yield Check(name="configuration", ok=True, remark=problem)


def _check_lines(checks: Sequence[Check]) -> list[str]:
    lines = []
    for check in checks:
        lines.append(f"  {_MARKS[check.ok]}  {check.name}: {check.remark}")
        if check.hint:
            lines.append(f"      {check.hint}")
    return lines


def _said_no(plugin: PluginReport) -> str:
    """What a plugin says of itself when it cannot work here, and so offers nothing."""
    status = plugin.status
    if status is None or status.available:
        return ""
    return f"{status.reason}; {status.hint}" if status.hint else status.reason


def _choice_to_json(choice: Choice) -> dict[str, Any]:
    return {
        "kind": choice.kind.value,
        "picked": choice.picked.driver if choice.picked else None,
        "passed_over": [
            {
                "driver": passed.offer.driver,
                "attaches": passed.offer.attaches,
                "because": passed.because,
            }
            for passed in choice.passed_over
        ],
    }
