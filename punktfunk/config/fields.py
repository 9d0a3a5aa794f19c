"""How a setting is declared: its default, what it may be, and what is told of it."""

from collections.abc import Callable
from typing import Any

import attrs

from punktfunk.config.rules import Rule


def setting(
    doc: str,
    default: Any,
    *,
    least: int | None = None,
    most: int | None = None,
    choices: tuple[str, ...] = (),
    test: Callable[[Any], bool] | None = None,
    form: str = "",
) -> Any:
    """A field with what `punktfunk config` says about it."""
    rule = Rule(type=type(default), least=least, most=most, choices=choices, test=test, form=form)
    return attrs.field(default=default, validator=rule, metadata={"doc": doc, "rule": rule})


def strings(doc: str, default: tuple[str, ...] = (), choices: tuple[str, ...] = ()) -> Any:
    rule = Rule(type=tuple, choices=choices)
    metadata = {"doc": doc, "rule": rule}
    return attrs.field(default=default, converter=tuple, validator=rule, metadata=metadata)


def required(
    doc: str,
    kind: type,
    test: Callable[[Any], bool],
    form: str,
    show: Callable[[Any], object] | None = None,
) -> Any:
    """A setting of an entry that makes no sense without it.

    Args:
        show: What others than the host may see of the value.
    """
    rule = Rule(type=kind, test=test, form=form)
    return attrs.field(validator=rule, metadata={"doc": doc, "rule": rule, "show": show})


def override(table: type, name: str) -> Any:
    """The same setting, for some sessions only; None leaves it as it is."""
    metadata = getattr(attrs.fields(table), name).metadata
    return attrs.field(
        default=None, validator=attrs.validators.optional(metadata["rule"]), metadata=metadata
    )


def entries(kind: type) -> Any:
    """An array of tables: `[[name]]`, any number of times."""
    return attrs.field(default=(), converter=tuple, metadata={"entry": kind})
