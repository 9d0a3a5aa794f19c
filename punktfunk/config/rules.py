"""What a setting may be, said once: for checking a value and for telling a person."""

from collections.abc import Callable
from typing import Any

import attrs

_MAX_SHOWN = 60


@attrs.frozen(kw_only=True)
class Rule:
    """Also an attrs validator, so that settings made in code obey the same rule.

    Attributes:
        type: `str`, `int`, `bool`, or `tuple` for a list of strings.
        choices: The only strings allowed, when not empty; in a list, for each member.
        test: A further condition; `form` says it in words.
    """

    type: type
    least: int | None = None
    most: int | None = None
    choices: tuple[str, ...] = ()
    test: Callable[[Any], bool] | None = None
    form: str = ""

    @property
    def expects(self) -> str:
        """Finish the sentence "must be …"."""
        if self.form:
            return self.form
        if self.type is bool:
            return "true or false"
        if self.type is int:
            return f"a whole number from {self.least} to {self.most}"
        if self.type is tuple:
            members = f", each {self._one_of}" if self.choices else ""
            return f"a list of strings{members}"
        return self._one_of if self.choices else "a string"

    def accepts(self, value: object) -> bool:
        if type(value) is not self.type:  # in Python a bool is an int, in TOML it is not
            return False
        if isinstance(value, tuple) and not all(isinstance(member, str) for member in value):
            return False
        return self._in_range(value) and (self.test is None or self.test(value))

    def _in_range(self, value: object) -> bool:
        if isinstance(value, int) and self.least is not None and self.most is not None:
            return self.least <= value <= self.most
        members = value if isinstance(value, tuple) else (value,)
        return not self.choices or all(member in self.choices for member in members)

    @property
    def _one_of(self) -> str:
        return "one of " + ", ".join(self.choices)

    def __call__(self, instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if not self.accepts(value):
            raise ValueError(f"{attribute.name} must be {self.expects}, not {shown(value)}")


def shown(value: object) -> str:
    """A value for an error message: short, whatever it was, and on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"
