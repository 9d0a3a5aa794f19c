"""What `punktfunk config` shows: every setting, its value, and where that came from."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from punktfunk.config.catalogue import ENTRIES, KNOWN, KNOWN_IN_ENTRIES, Known
from punktfunk.config.loading import LoadedConfig

_HIDDEN = "***"
_SECRET_WORDS = ("token", "secret", "password", "passphrase", "api_key")


def config_as_json(loaded: LoadedConfig) -> dict[str, Any]:
    """Return plain JSON values."""
    return {
        "file": str(loaded.file),
        "settings": [
            {
                "key": key,
                "value": known.shown(value),
                "default": known.default,
                "source": loaded.origins[key].source.value,
                "place": loaded.origins[key].place,
                "expects": known.rule.expects,
                "doc": known.doc,
            }
            for key, known, value in _all(loaded)
        ],
        "plugin": {name: _without_secrets(table) for name, table in loaded.settings.plugin.items()},
        "warnings": list(loaded.warnings),
    }


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _HIDDEN if _is_secret(key) else _without_secrets(member)
            for key, member in value.items()
        }
    return [_without_secrets(member) for member in value] if isinstance(value, list) else value


def _is_secret(key: str) -> bool:
    return any(word in key.lower() for word in _SECRET_WORDS)


def config_as_text(loaded: LoadedConfig) -> str:
    """Return one paragraph a setting, as it could stand in the file."""
    lines = [f"# {loaded.file}{'' if loaded.file.exists() else ' (not there)'}"]
    section = ""
    for key, known, value in _all(loaded):
        head, _, name = key.partition(".")
        if head != section:
            section = head
            array, is_entry, _ = head.partition("[")
            lines += ["", f"[[{array}]]" if is_entry else f"[{section}]"]
        text = json.dumps(known.shown(value), ensure_ascii=False)
        lines.append(f"{name} = {text}  # {loaded.origins[key]}: {known.doc}")
    for name in loaded.settings.plugin:
        lines += ["", f"[plugin.{name}]  # see: punktfunk plugins"]
    return "\n".join(lines)


def _all(loaded: LoadedConfig) -> Iterator[tuple[str, Known, object]]:
    """Yield every setting with its key and value, those in arrays of tables last."""
    for key, known in KNOWN.items():
        section, _, name = key.partition(".")
        yield key, known, getattr(getattr(loaded.settings, section), name)
    for array in ENTRIES:
        for index, entry in enumerate(getattr(loaded.settings, array)):
            for known in KNOWN_IN_ENTRIES.values():
                section, _, name = known.key.partition(".")
                value = getattr(entry, name) if section == array else None
                if value is not None:
                    yield f"{array}[{index}].{name}", known, value
