"""What must be right about a plugin before it may answer: its manifest and its hooks."""

# mypy: disable-error-code="type-abstract"

import difflib
from types import MappingProxyType, ModuleType

import pluggy

from punktfunk.drivers.audio import AudioDriver, AudioEncodeDriver
from punktfunk.drivers.base import Driver
from punktfunk.drivers.capture import CaptureDriver
from punktfunk.drivers.compositor import CompositorDriver
from punktfunk.drivers.encode import EncodeDriver
from punktfunk.drivers.gamepad import GamepadDriver
from punktfunk.drivers.input import InputDriver
from punktfunk.hookspecs import effects, events, library, offers
from punktfunk.model.offers import Kind
from punktfunk.model.plugins import Manifest, Setting
from punktfunk.registry.settings import value_problem

SPEC_MODULES = (effects, events, library, offers)

# mypy wants concrete classes here; these are only ever compared with.
DRIVER_BASES: MappingProxyType[Kind, type[Driver]] = MappingProxyType(
    {
        Kind.COMPOSITOR: CompositorDriver,
        Kind.CAPTURE: CaptureDriver,
        Kind.ENCODE: EncodeDriver,
        Kind.AUDIO: AudioDriver,
        Kind.AUDIO_ENCODE: AudioEncodeDriver,
        Kind.INPUT: InputDriver,
        Kind.GAMEPAD: GamepadDriver,
    }
)

SETTING_TYPES = (str, int, float, bool, list)


def manifest_problem(plugin: object) -> str:
    """Say what is wrong with a plugin's manifest; empty when nothing is."""
    if not isinstance(plugin, ModuleType):
        return f"its entry point names a {type(plugin).__name__}, not a module"
    manifest = getattr(plugin, "manifest", None)
    if manifest is None:
        return "it has no `manifest`"
    if not isinstance(manifest, Manifest):
        return f"its `manifest` is a {type(manifest).__name__}, not a Manifest"
    if not isinstance(manifest.api, int) or isinstance(manifest.api, bool):
        return f"its manifest's `api` is {manifest.api!r}, not a number"
    if not isinstance(manifest.title, str) or not manifest.title.strip():
        return "its manifest has no title"
    return _settings_problem(manifest)


def hook_problem(manager: pluggy.PluginManager, module: object) -> str:
    """Say what is wrong with a module's hooks; empty when nothing is.

    Args:
        manager: A fresh one with all our hooks; it is of no use afterwards.
    """
    known = sorted(name for name in vars(manager.hook) if not name.startswith("_"))
    for attribute in dir(module):
        options = manager.parse_hookimpl_opts(module, attribute)
        if options is None or options.get("optionalhook"):
            continue
        hook = options.get("specname") or attribute
        if hook not in known:
            guesses = difflib.get_close_matches(hook, known, n=1)
            hint = f" (did you mean {guesses[0]}?)" if guesses else ""
            return f"no such hook: {hook}{hint}"
    try:
        manager.register(module)
    except Exception as error:  # pluggy has several; whichever it is, the plugin is at fault
        return " ".join(str(error).split())
    return ""


def _settings_problem(manifest: Manifest) -> str:
    names = set()
    for setting in manifest.settings:
        if not isinstance(setting, Setting):
            return f"its manifest lists {setting!r} as a setting, which is not a Setting"
        if setting.type not in SETTING_TYPES:
            return f"its setting {setting.name!r} has a type that TOML does not have"
        if problem := value_problem(setting, setting.default):
            return f"the default of its setting {setting.name!r} {problem}"
        if setting.name in names:
            return f"its manifest has the setting {setting.name!r} twice"
        names.add(setting.name)
    return ""
