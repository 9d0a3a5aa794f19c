"""The public surface only changes on purpose.

Run with `PUNKTFUNK_UPDATE_SURFACE=1` to write it down anew, and add a `changes/` fragment
of the type `plugin-api` for whoever writes plugins.
"""

import enum
import inspect
import os
import re
from pathlib import Path
from typing import get_args

import attrs

from punktfunk import plugin
from punktfunk.registry.loading import new_manager
from punktfunk.registry.validation import SPEC_MODULES

UNIONS = ("InputEvent", "Feedback")
SURFACE = Path(__file__).parent / "surface.txt"


def test_the_public_surface_is_the_one_written_down() -> None:
    surface = "\n".join([*plugin_lines(), "", *hook_lines(), ""])
    if os.environ.get("PUNKTFUNK_UPDATE_SURFACE"):
        SURFACE.write_text(surface)

    assert surface.splitlines() == SURFACE.read_text().splitlines()


def test_everything_the_facade_imports_is_public() -> None:
    names = {name for name in vars(plugin) if not name.startswith("_")}

    assert names == set(plugin.__all__)
    assert list(plugin.__all__) == sorted(plugin.__all__, key=constants_first)


def test_every_hook_is_documented() -> None:
    hooks = dict(hook_functions())

    assert sorted(hooks) == sorted(name for name in vars(new_manager().hook) if name[0] != "_")
    assert [name for name, hook in hooks.items() if len((hook.__doc__ or "").split()) < 5] == []


def test_every_module_of_hookspecs_is_registered() -> None:
    folder = Path(SPEC_MODULES[0].__file__ or "").parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "markers"}

    assert {module.__name__.rpartition(".")[2] for module in SPEC_MODULES} == modules


def constants_first(name: str) -> tuple[bool, bool, str]:
    return not name.isupper(), name[0].islower(), name


def hook_functions() -> list[tuple[str, object]]:
    return [
        (name, value)
        for module in SPEC_MODULES
        for name, value in sorted(vars(module).items())
        if inspect.isfunction(value) and hasattr(value, "punktfunk_spec")
    ]


def hook_lines() -> list[str]:
    return [f"hook {name}{signature(hook)}" for name, hook in hook_functions()]


def plugin_lines() -> list[str]:
    return [line for name in plugin.__all__ for line in describe(name, getattr(plugin, name))]


def describe(name: str, value: object) -> list[str]:
    if isinstance(value, enum.EnumMeta):
        return [f"{name} = " + ", ".join(f"{member.name}:{member.value}" for member in value)]
    if inspect.isclass(value):
        fields = attrs.fields(value) if attrs.has(value) else ()
        head = ", ".join(field_line(field) for field in fields)
        return [f"class {name}({head})", *method_lines(name, value)]
    if isinstance(value, int | frozenset):
        return [f"{name} = {value!r}"]
    if name in UNIONS:
        return [f"{name} = " + ", ".join(sorted(part.__name__ for part in get_args(value)))]
    return [name]


def field_line(field: "attrs.Attribute[object]") -> str:
    optional = "" if field.default is attrs.NOTHING else "?"
    return f"{field.name}{optional}: {type_name(field.type)}"


def method_lines(name: str, value: type) -> list[str]:
    lines = []
    for method, member in sorted(vars(value).items()):
        if method.startswith("_") and (method != "__init__" or is_value(value)):
            continue
        if isinstance(member, property):
            lines.append(f"  {name}.{method} (property)")
        function = member.__func__ if isinstance(member, classmethod) else member
        if inspect.isfunction(function):
            mark = " (abstract)" if getattr(function, "__isabstractmethod__", False) else ""
            lines.append(f"  {name}.{method}{signature(function)}{mark}")
    return lines


def is_value(value: type) -> bool:
    """Say whether others made the constructor: attrs, or typing for a Protocol."""
    return attrs.has(value) or getattr(value, "_is_protocol", False)


def signature(function: object) -> str:
    return short(str(inspect.signature(function)))  # type: ignore[arg-type]


def type_name(annotation: object) -> str:
    return short(annotation.__name__ if inspect.isclass(annotation) else str(annotation))


def short(text: str) -> str:
    """Leave out module names, and what libraries make of our aliases in their versions."""
    for alias in (*UNIONS, "Samples", "Plane"):
        text = text.replace(str(getattr(plugin, alias)), alias)
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Za-z])", "", text)
