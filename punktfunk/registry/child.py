"""The program of a child that asks plugins something: it may crash or hang, the host may not.

Reads one `ProbeRequest` as JSON from standard input. Writes one line of JSON before each
plugin and one after it, so that whoever reads knows which plugin did not come back.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import attrs

from punktfunk.errors import ConfigError
from punktfunk.model.offers import HostFacts
from punktfunk.registry.discovery import PluginFilter, PluginRecord, PluginState
from punktfunk.registry.loading import Plugins, load_plugins
from punktfunk.registry.report import ProbeBegins, ProbeRequest, converter, to_line
from punktfunk.registry.settings import plugin_settings

Write = Callable[[object], None]

_PR_SET_PDEATHSIG = 1


@attrs.frozen(kw_only=True)
class Asked:
    """One plugin, imported and ready to be asked.

    Attributes:
        facts: With the plugin's own settings, defaults filled in.
    """

    plugins: Plugins
    record: PluginRecord
    facts: HostFacts


def answer_request(
    ask: Callable[[Asked], object], not_loaded: Callable[[PluginRecord], object]
) -> NoReturn:
    """Answer one request and end at once, without running anyone's exit handlers."""
    write = _take_stdout()
    _prepare_to_die()
    request = converter.structure(json.loads(sys.stdin.buffer.read()), ProbeRequest)
    _close_stdin()
    for name in request.ask:
        write(ProbeBegins(begins=name, step="import"))
        found = _load(name, request.facts, write)
        write(ask(found) if isinstance(found, Asked) else not_loaded(found))
    os._exit(0)


def _load(name: str, facts: HostFacts, write: Write) -> Asked | PluginRecord:
    """Import one installed plugin and check its settings."""
    plugins = load_plugins(PluginFilter(allow=frozenset({name})))
    write(ProbeBegins(begins=name, step="ask"))
    record = plugins.records[name]
    if record.state is not PluginState.LOADED:
        return record
    try:
        table = plugin_settings(plugins.manifests[name], facts.settings.get(name, {}), name=name)
    except ConfigError as error:
        return attrs.evolve(record, state=PluginState.BROKEN, reason=str(error))
    facts = attrs.evolve(facts, settings={**facts.settings, name: table})
    return Asked(plugins=plugins, record=record, facts=facts)


def _take_stdout() -> Write:
    """Keep standard output for ourselves: what plugins print goes to standard error."""
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def write(message: object) -> None:
        channel.write(to_line(message))
        channel.flush()

    return write


def _prepare_to_die() -> None:
    """Go with the host that started us, and leave no core file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _close_stdin() -> None:
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
