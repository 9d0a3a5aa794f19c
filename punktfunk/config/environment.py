"""Settings from the environment: `PUNKTFUNK_HOST__BASE_PORT=48000` is `host.base_port`."""

import re
import tomllib
from collections.abc import Iterator, Mapping

from punktfunk.config.catalogue import ENTRIES, KNOWN, PLUGIN_TABLES, did_you_mean
from punktfunk.config.rules import Rule
from punktfunk.errors import ConfigError

PREFIX = "PUNKTFUNK_"

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")
_TRUTH = {"true": True, "1": True, "yes": True, "on": True}
_TRUTH |= {"false": False, "0": False, "no": False, "off": False}


def settings_in(environment: Mapping[str, str]) -> Iterator[tuple[str, str, object]]:
    """Yield key, variable and value of every setting there is; the value is not checked yet.

    Raises:
        ConfigError: a variable looks like a setting and is none.
    """
    for variable, text in sorted(environment.items()):
        section, separator, name = variable.removeprefix(PREFIX).partition("__")
        if not variable.startswith(PREFIX):
            continue
        if not separator:
            _refuse_one_underscore(variable)
            continue
        key = f"{section}.{name}".lower()
        if section.lower() == PLUGIN_TABLES:
            raise ConfigError(
                f"environment {variable}: settings of plugins can only be in the file", key=key
            )
        if section.lower() in ENTRIES:
            raise ConfigError(
                f"environment {variable}: [[{section.lower()}]] can only be in the file", key=key
            )
        if key not in KNOWN:
            raise ConfigError(
                f"environment {variable}: no such setting{did_you_mean(key)}", key=key
            )
        yield key, variable, value_of(text, KNOWN[key].rule)


def _refuse_one_underscore(variable: str) -> None:
    words = variable.removeprefix(PREFIX).lower()
    for key in KNOWN:
        if words == key.replace(".", "_"):
            meant = PREFIX + key.upper().replace(".", "__")
            raise ConfigError(f"environment {variable}: for {key} write {meant}", key=key)


def value_of(text: str, rule: Rule) -> object:
    """Turn text into a value of the rule's type; text that cannot be stays text.

    A list is written as in TOML, or as words with commas between them.
    """
    if rule.type is bool:
        return _TRUTH.get(text.strip().lower(), text)
    if rule.type is int and _WHOLE_NUMBER.fullmatch(text.strip()):
        return int(text)
    if rule.type is tuple:
        return _list_of(text)
    return text


def _list_of(text: str) -> object:
    if not text.lstrip().startswith("["):
        return tuple(word.strip() for word in text.split(",") if word.strip())
    try:
        members = tomllib.loads(f"list = {text}\n")["list"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    return tuple(members) if isinstance(members, list) else text
