"""What `[plugin.roms]` asks for, and what is wrong with it."""

import itertools
from pathlib import Path

import attrs

from punktfunk.plugin import HostFacts
from punktfunk_store_roms.emulators import find_template, is_program, what_is_missing
from punktfunk_store_roms.scanning import is_folder
from punktfunk_store_roms.systems import SYSTEMS, System, system_named
from punktfunk_store_roms.templates import (
    Template,
    TemplateError,
    expand_home,
    parse_template,
)

MAX_COLLECTIONS = 100
MAX_NAMES = 10_000


@attrs.frozen
class Problem:
    reason: str
    hint: str = ""


@attrs.frozen
class Collection:
    """A folder with the games of one system.

    Attributes:
        template: None when there is no emulator for it.
    """

    system: System
    folder: Path
    template: Template | None


@attrs.frozen
class Plan:
    """The settings, understood.

    Attributes:
        parents: Folders in which each system has a folder.
    """

    collections: tuple[Collection, ...] = ()
    parents: tuple[Path, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_plan(host: HostFacts) -> Plan:
    """Understand the settings as far as they go; mistakes cost their own line."""
    return _Reader(host).read()


class _Reader:
    def __init__(self, host: HostFacts) -> None:
        self._host = host
        self._home = host.environment.get("HOME", "")
        self._problems: list[Problem] = []
        self._templates: dict[str, Template | None] = {}

    def read(self) -> Plan:
        for line in self._lines("emulators"):
            self._read_emulator(line)
        folders: dict[tuple[str, Path], System] = {}
        parents: list[Path] = []
        for line in self._lines("folders"):
            if line.startswith(("/", "~")):
                parent = self._folder(line, line)
                if parent is not None:
                    parents.append(parent)
                    folders |= self._systems_in(parent)
            else:
                folders |= self._one_folder(line)
        if len(folders) > MAX_COLLECTIONS:
            self._problem(f"only the first {MAX_COLLECTIONS} folders are looked through")
        collections = [
            Collection(system, folder, self._template(system))
            for (_, folder), system in list(folders.items())[:MAX_COLLECTIONS]
        ]
        return Plan(tuple(collections), tuple(parents), tuple(self._problems))

    def _lines(self, setting: str) -> list[str]:
        value = self._host.settings.get("roms", {}).get(setting, [])
        return [str(line).strip() for line in value] if isinstance(value, list | tuple) else []

    def _read_emulator(self, line: str) -> None:
        name, _, text = line.partition("=")
        system = system_named(name)
        if system is None or not text:
            self._problem(f"emulators: {line!a} is not of the form system=command")
            return
        try:
            template = parse_template(text, self._home)
        except TemplateError as error:
            self._problem(f"emulators: {line!a}: {error}")
            return
        if not is_program(template.program, self._host):
            self._problem(
                f"{system.title}: there is no program {template.program!a}",
                "install it, or correct emulators",
            )
        self._templates[system.name] = template

    def _one_folder(self, line: str) -> dict[tuple[str, Path], System]:
        name, _, text = line.partition("=")
        system = system_named(name)
        if system is None or not text:
            self._problem(f"folders: {line!a} is neither system=/folder nor an absolute folder")
            return {}
        folder = self._folder(text.strip(), line)
        return {} if folder is None else {(system.name, folder): system}

    def _folder(self, text: str, line: str) -> Path | None:
        path = Path(expand_home(text, self._home))
        if not path.is_absolute() or "\0" in text:
            self._problem(f"folders: {line!a} is not an absolute folder")
            return None
        if is_folder(path):
            return path
        self._problem(f"folders: there is no folder {str(path)!a}", "correct folders")
        return None

    def _systems_in(self, parent: Path) -> dict[tuple[str, Path], System]:
        known = SYSTEMS.keys() | self._templates.keys()
        found: dict[tuple[str, Path], System] = {}
        for name in sorted(_names(parent)):
            system = system_named(name) if name.lower() in known else None
            if system is not None and is_folder(parent / name):
                found[system.name, parent / name] = system
        if not found:
            self._problem(
                f"folders: {str(parent)!a} has no folder that is called like a system",
                'name the system: folders = ["snes=/games/snes"]',
            )
        return found

    def _template(self, system: System) -> Template | None:
        if system.name not in self._templates:
            template = find_template(system, self._host)
            if template is None:
                reason, hint = what_is_missing(system, self._host)
                self._problem(f"{system.title}: {reason}", hint)
            self._templates[system.name] = template
        return self._templates[system.name]

    def _problem(self, reason: str, hint: str = "") -> None:
        self._problems.append(Problem(reason, hint))


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in itertools.islice(folder.iterdir(), MAX_NAMES)]
    except OSError:
        return []
