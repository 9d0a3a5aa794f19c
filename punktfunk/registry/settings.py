"""A plugin's own `[plugin.NAME]` table, checked against its manifest."""

from collections.abc import Mapping

from punktfunk.errors import ConfigError
from punktfunk.model.plugins import Manifest, Setting

_WORDS = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}


def plugin_settings(
    manifest: Manifest, table: Mapping[str, object], *, name: str = ""
) -> Mapping[str, object]:
    """Check a table and fill in the defaults.

    Args:
        manifest: Of the plugin whose table it is.
        table: As it stands in the configuration file.
        name: The plugin's name, for the message.

    Raises:
        ConfigError: a key the plugin does not know, or a value of the wrong type.
    """
    place = f"[plugin.{name}]" if name else manifest.title
    known = {setting.name: setting for setting in manifest.settings}
    for key, value in table.items():
        if key not in known:
            names = ", ".join(sorted(known)) or "none"
            raise ConfigError(f"{place} {key}: no such setting (known: {names})", key=key)
        if problem := value_problem(known[key], value):
            raise ConfigError(f"{place} {key}: {problem}", key=key)
    return {name: table.get(name, setting.default) for name, setting in known.items()}


def value_problem(setting: Setting, value: object) -> str:
    """Say why a value is not of the setting's type; empty when it is."""
    if setting.type is list:
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            return ""
        return "must be a list of strings"
    # In Python a bool is an int, and a whole number will do for a float. In TOML only the
    # second is what a person means.
    accepted = (int, float) if setting.type is float else setting.type
    if isinstance(value, accepted) and (setting.type is bool or not isinstance(value, bool)):
        return ""
    return f"must be {_WORDS[setting.type]}, not {value!r}"
