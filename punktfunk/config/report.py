"""What `punktfunk config` shows: every setting, its value, and where that came from."""

import json
from typing import Any

from punktfunk.config.catalogue import KNOWN
from punktfunk.config.loading import LoadedConfig


def config_as_json(loaded: LoadedConfig) -> dict[str, Any]:
    """Return plain JSON values."""
    return {
        "file": str(loaded.file),
        "settings": [
            {
                "key": key,
                "value": _value(loaded, key),
                "default": known.default,
                "source": loaded.origins[key].source.value,
                "place": loaded.origins[key].place,
                "expects": known.rule.expects,
                "doc": known.doc,
            }
            for key, known in KNOWN.items()
        ],
        "plugin": {name: dict(table) for name, table in loaded.settings.plugin.items()},
        "warnings": list(loaded.warnings),
    }


def config_as_text(loaded: LoadedConfig) -> str:
    """Return one paragraph a setting, as it could stand in the file."""
    lines = [f"# {loaded.file}{'' if loaded.file.exists() else ' (not there)'}"]
    section = ""
    for key, known in KNOWN.items():
        head, _, name = key.partition(".")
        if head != section:
            section = head
            lines += ["", f"[{section}]"]
        value = json.dumps(_value(loaded, key), ensure_ascii=False)
        lines.append(f"{name} = {value}  # {loaded.origins[key]}: {known.doc}")
    for name in loaded.settings.plugin:
        lines += ["", f"[plugin.{name}]  # see: punktfunk plugins"]
    return "\n".join(lines)


def _value(loaded: LoadedConfig, key: str) -> object:
    section, _, name = key.partition(".")
    return getattr(getattr(loaded.settings, section), name)
