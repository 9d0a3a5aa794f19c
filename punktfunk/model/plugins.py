"""What a plugin says about itself, and the settings it understands."""

import attrs

API_VERSION = 1
SUPPORTED_APIS = frozenset({1})


@attrs.frozen(kw_only=True)
class Setting:
    """One key of `[plugin.NAME]` in the configuration file.

    Attributes:
        type: The TOML type it must have: str, int, float, bool, or list (of strings).
        default: Used when the key is absent; of the same type.
    """

    name: str
    type: type
    default: object
    doc: str


@attrs.frozen(kw_only=True)
class Manifest:
    """The module attribute `manifest` of every plugin.

    Attributes:
        api: The plugin API it was written for, see `API_VERSION`.
    """

    api: int
    title: str
    homepage: str = ""
    settings: tuple[Setting, ...] = ()


@attrs.frozen(kw_only=True)
class Effect:
    """Something done to the world outside, as the undo journal keeps it.

    Attributes:
        kind: Who can reverse it: one word is the core's (`process_tree`, `directory`, `file`,
            `command`, `scope`), anything else has the form `plugin.what` and goes to that
            plugin's `effect_undo`.
        data: Plain JSON values, enough to find the thing again and to tell that it is ours.
        until_reboot: The thing lives in memory (an output, a sink, a device): when the machine
            was started anew since, it is gone, and nobody is asked to undo it.
    """

    kind: str
    data: dict[str, str | int]
    until_reboot: bool = False
