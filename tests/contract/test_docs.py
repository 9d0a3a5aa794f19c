"""The documentation says what the code does: settings, commands, hooks, ports, links, examples."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import attrs
import click
import pytest

from punktfunk import plugin
from punktfunk.cli import main
from punktfunk.config.catalogue import ENTRIES, KNOWN, KNOWN_IN_ENTRIES
from punktfunk.host.ports import Ports
from punktfunk.model.events import EVENT_TYPES
from punktfunk.registry.discovery import PluginFilter
from punktfunk.registry.loading import load_plugins, new_manager
from punktfunk.registry.settings import plugin_settings
from punktfunk.testing import write_distribution

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EXAMPLE = DOCS / "plugins" / "example_encoder"
LIMIT_S = 400
"""For programs that are run; seconds are enough on a machine that has nothing else to do."""
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "plugins/*/README.md", "tests/e2e/client/README.md")
    for path in ROOT.glob(pattern)
)

pytestmark = pytest.mark.timeout(LIMIT_S + 100)

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<img [^>]*src=\"([^\"]+)\"")
_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)
_THREAT = re.compile(r"^\| (\d+) \|.*\| (Tested|Partly|Later|Not defended) \|(.*)\|$", re.MULTILINE)


def page(name: str) -> str:
    return (DOCS / name).read_text()


def rows(text: str) -> dict[str, str]:
    """The second column of every table row whose first is one code word."""
    return dict(re.findall(r"^\| `([\w.]+)` \| `([^`]*)` \|", text, re.MULTILINE))


def without_code(text: str) -> str:
    return _CODE.sub("", _FENCE.sub("", text))


def anchors(text: str) -> set[str]:
    """What mkdocs makes of the headings."""
    plain = (re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in _HEADING.findall(text))
    return {re.sub(r"[\s-]+", "-", heading) for heading in plain}


def commands(group: click.Command, words: str = "punktfunk") -> Iterator[tuple[str, click.Command]]:
    for name, command in getattr(group, "commands", {}).items():
        yield f"{words} {name}", command
        yield from commands(command, f"{words} {name}")


COMMANDS = dict(commands(main))


# --- settings --------------------------------------------------------------------------------


def test_every_setting_is_in_the_reference_with_its_default() -> None:
    documented = rows(page("guide/settings.md"))
    settings = {
        key: "required" if known.required else json.dumps(known.default)
        for key, known in (KNOWN | KNOWN_IN_ENTRIES).items()
    }
    for name, manifest in load_plugins(PluginFilter()).manifests.items():
        for setting in manifest.settings:
            settings[f"plugin.{name}.{setting.name}"] = json.dumps(setting.default)

    assert documented == settings


def test_every_setting_that_a_page_shows_in_toml_exists() -> None:
    manifests = dict(load_plugins(PluginFilter()).manifests)
    for path in PAGES:
        for _, language, text in _FENCE.findall(path.read_text()):
            if language != "toml" or "[project" in text or "--8<--" in text:
                continue
            for section, table in tomllib.loads(text).items():
                if section == "plugin":
                    for name in table.keys() & manifests.keys():
                        plugin_settings(manifests[name], table[name], name=name)
                elif section != "version":
                    tables = table if section in ENTRIES else [table]
                    for name, value in (pair for each in tables for pair in each.items()):
                        value = tuple(value) if isinstance(value, list) else value
                        known = (KNOWN | KNOWN_IN_ENTRIES)[f"{section}.{name}"]
                        assert known.rule.accepts(value), f"{path.name}: {section}.{name}"


# --- commands --------------------------------------------------------------------------------


def test_every_command_and_option_is_in_the_reference() -> None:
    text = page("guide/commands.md")
    sections = dict(re.findall(r"^## (punktfunk \w+)\n(.*?)(?=^## |\Z)", text, re.M | re.S))

    for words, command in COMMANDS.items():
        top = " ".join(words.split()[:2])
        assert words in text, words
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.opts[0] in sections[top], f"{words} {option.opts[0]}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_a_page_speaks_of_exists(path: Path) -> None:
    text = path.read_text()
    shell = [part for _, language, part in _FENCE.findall(text) if language in ("sh", "")]
    for part in (*shell, *_CODE.findall(_FENCE.sub("", text))):
        for name in re.findall(r"(?:^|[\s/])punktfunk ([a-z]+)\b", part, re.MULTILINE):
            assert f"punktfunk {name}" in COMMANDS, f"punktfunk {name}"


def test_every_event_is_in_the_reference_with_its_data() -> None:
    listed = {
        name: (told, frozenset(_CODE.findall(members)))
        for name, told, members in re.findall(
            r"^\| `(\w+\.\w+)` \| (.+?) \| (.+) \|$", page("guide/automation.md"), re.MULTILINE
        )
    }

    assert listed == {name: (it.told, it.members) for name, it in EVENT_TYPES.items()}


# --- plugins ---------------------------------------------------------------------------------


def test_every_hook_is_in_the_reference() -> None:
    text = page("plugins/hooks.md")
    hooks = {name for name in vars(new_manager().hook) if not name.startswith("_")}

    listed = {
        name
        for first in re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", text, re.MULTILINE)
        for name in re.findall(r"\w+", first)
    }
    assert listed == hooks
    generated = set(re.findall(r"^::: punktfunk\.hookspecs\.(\w+)", text, re.MULTILINE))
    folder = ROOT / "punktfunk" / "hookspecs"
    assert generated == {path.stem for path in folder.glob("*.py")} - {"__init__", "markers"}


def test_everything_in_the_facade_is_in_its_reference() -> None:
    text = page("plugins/reference.md")
    blocks = re.findall(r"^::: ([\w.]+)\n(.*?)(?=^:::|^## |\Z)", text, re.M | re.S)
    shown = {module: set(re.findall(r"\w+", block)) for module, block in blocks}
    elsewhere = {"hookimpl", "API_VERSION", "SUPPORTED_APIS", "Plane", "Feedback"}

    missing = []
    for name, module in facade_sources().items():
        options = shown.get(module)
        listed = options is not None and ("members" not in options or name in options)
        if not listed and name not in elsewhere:
            missing.append(name)
    assert missing == []


def facade_sources() -> dict[str, str]:
    """Where the façade takes each of its names from."""
    tree = ast.parse(Path(plugin.__file__).read_text())
    return {
        name.name: node.module or ""
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }


@pytest.mark.parametrize("name", ["index.md", "store.md"])
def test_the_small_plugins_on_the_pages_work(name: str, tmp_path: Path) -> None:
    found = re.findall(
        r'^```(python|toml) title="([\w.]+)"\n(.*?)^```', page(f"plugins/{name}"), re.M | re.S
    )
    (source,) = [text for language, _, text in found if language == "python"]
    (metadata,) = [tomllib.loads(text)["project"] for _, file, text in found if "toml" in file]
    (module,) = [file for _, file, _ in found if file.endswith(".py")]
    ((entry, target),) = metadata["entry-points"]["punktfunk.plugins"].items()
    (tmp_path / module).write_text(source)
    write_distribution(tmp_path, metadata["name"], metadata["entry-points"])

    answer = in_a_child(
        "from punktfunk.registry.discovery import PluginFilter\n"
        "from punktfunk.registry.loading import load_plugins\n"
        f"plugins = load_plugins(PluginFilter(allow=frozenset({{{entry!r}}})))\n"
        f"record = plugins.records[{entry!r}]\n"
        "print(record.state, record.reason)",
        tmp_path,
    )
    assert f"{target}.py" == module
    assert answer.split() == ["loaded"]


def test_the_store_on_its_page_keeps_every_promise(tmp_path: Path) -> None:
    found = dict(
        re.findall(
            r'^```\S* title="([\w./]+)"\}?\n(.*?)^```',
            page("plugins/store.md"),
            re.M | re.S,
        )
    )
    project = tomllib.loads(found["pyproject.toml"])["project"]
    write_distribution(tmp_path, project["name"], project["entry-points"])
    for name in ("punktfunk_store_example.py", "tests/test_contract.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(found[name])

    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (tmp_path, ROOT)))},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )

    assert ran.returncode == 0, ran.stdout
    assert "skipped" not in ran.stdout, ran.stdout


def test_the_example_driver_keeps_every_promise(tmp_path: Path) -> None:
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    write_distribution(tmp_path, project["name"], project["entry-points"])

    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE / "tests")],
        env=os.environ | {"PYTHONPATH": f"{EXAMPLE}{os.pathsep}{tmp_path}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )

    assert ran.returncode == 0, ran.stdout
    assert "cannot run here" not in ran.stdout, ran.stdout
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed, ran.stdout
    assert int(passed[1]) >= 30


def test_the_pages_show_every_file_of_the_example() -> None:
    shown = re.findall(r'^--8<-- "(.+)"$', page("plugins/driver.md"), re.MULTILINE)

    files = (path for path in EXAMPLE.rglob("*") if path.suffix in (".py", ".toml"))
    assert sorted(shown) == sorted(str(path.relative_to(ROOT)) for path in files)


def in_a_child(code: str, *folders: Path) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders))},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    )
    return ran.stdout


# --- facts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [ROOT / "README.md", DOCS / "guide" / "install.md"])
def test_the_ports_are_these(path: Path) -> None:
    ports = Ports(KNOWN["host.base_port"].default)  # type: ignore[arg-type]
    first, second = attrs.astuple(ports.media(0)), attrs.astuple(ports.media(1))

    text = path.read_text()
    for port in (ports.http, ports.https, ports.rtsp, *first):
        assert str(port) in text
    assert f"{min(second)}–{max(second)}" in text


def test_every_extra_is_listed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = set(project["optional-dependencies"])

    assert set(re.findall(r"^\| `(\w+)` \|", page("guide/install.md"), re.MULTILINE)) == extras
    readme = (ROOT / "README.md").read_text()
    assert set(re.findall(r"^\| \[\w+\]\(.+?\) \| `(\w+)` \|", readme, re.M)) == extras - {
        "all",
        "testing",
    }


def test_the_attack_checklist_is_complete_and_names_tests_that_exist() -> None:
    found = {int(number): (state, where) for number, state, where in threats()}

    assert sorted(found) == list(range(1, 41))
    assert len(threats()) == 40
    for number, (state, where) in found.items():
        paths = [path for path in _CODE.findall(where) if path.startswith(("tests/", "plugins/"))]
        assert [path for path in paths if not (ROOT / path).exists()] == [], number
        assert bool(paths) or state != "Tested", number


def test_what_a_test_is_named_after_is_ticked_off() -> None:
    found = {int(number): state for number, state, _ in threats()}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for number in map(int, re.findall(r"def test_threat_(\d+)_", path.read_text())):
            assert found[number] in ("Tested", "Partly"), f"row {number}: {path.name} tests it"


def threats() -> list[tuple[str, str, str]]:
    return _THREAT.findall(page("design/threats.md"))


# --- pages -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    for pair in _LINK.findall(without_code(path.read_text())):
        link = "".join(pair)
        if link.startswith(("https://", "http://")):
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        assert file.is_file(), link
        assert file.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(file.read_text()), link


def test_every_page_is_in_the_navigation() -> None:
    listed = set(re.findall(r"^ +- .*?([\w/]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.M))

    assert listed == {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}


def test_pictures_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in (DOCS / "images").iterdir()}

    assert {"desktop.png", "test-pattern.png"} <= set(sizes)
    assert [name for name, size in sizes.items() if size > 200_000] == []
