"""The probe child's program: `python -m punktfunk.registry.probe`.

Imports plugins and asks them what they could do here, in a process that may crash or hang.
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

import attrs

from punktfunk.errors import ConfigError
from punktfunk.model.offers import HostFacts, Kind, Offer
from punktfunk.registry.calls import call_alone
from punktfunk.registry.discovery import PluginFilter, PluginRecord, PluginState
from punktfunk.registry.loading import Plugins, describe, load_plugins
from punktfunk.registry.report import (
    ProbeAnswer,
    ProbeBegins,
    ProbeRequest,
    checked_offer,
    checked_status,
    converter,
    to_line,
)
from punktfunk.registry.settings import plugin_settings

_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Answer one request and end at once, without running anyone's exit handlers."""
    write = _take_stdout()
    _prepare_to_die()
    request = converter.structure(json.loads(sys.stdin.buffer.read()), ProbeRequest)
    _close_stdin()
    for name in request.ask:
        write(ProbeBegins(begins=name, step="import"))
        write(ask(name, request, write))
    os._exit(0)


def ask(name: str, request: ProbeRequest, write: Callable[[ProbeBegins], None]) -> ProbeAnswer:
    """Import one installed plugin and put every question to it."""
    plugins = load_plugins(PluginFilter(allow=frozenset({name})))
    write(ProbeBegins(begins=name, step="ask"))
    record = plugins.records[name]
    if record.state is not PluginState.LOADED:
        return ProbeAnswer(record=record)
    try:
        table = plugin_settings(
            plugins.manifests[name], request.facts.settings.get(name, {}), name=name
        )
    except ConfigError as error:
        broken = attrs.evolve(record, state=PluginState.BROKEN, reason=str(error))
        return ProbeAnswer(record=broken)
    facts = attrs.evolve(request.facts, settings={**request.facts.settings, name: table})
    return _ask_loaded(plugins, record, facts)


def _ask_loaded(plugins: Plugins, record: PluginRecord, facts: HostFacts) -> ProbeAnswer:
    offers: list[Offer] = []
    failures: dict[Kind, str] = {}
    problems: list[str] = []
    for kind in Kind:
        hook = f"{kind}_offers"
        try:
            found = call_alone(plugins.manager, record.name, hook, host=facts)
            offers += _checked_offers(hook, kind, found)
        except BaseException as error:  # a plugin may even raise SystemExit
            failures[kind] = f"{hook} failed: {describe(error)}"
            problems.append(failures[kind])
    status = None
    try:
        word = call_alone(plugins.manager, record.name, "plugin_status", host=facts)
        status = None if word is None else checked_status(word)
    except BaseException as error:
        problems.append(f"plugin_status failed: {describe(error)}")
    return ProbeAnswer(
        record=record,
        status=status,
        offers=tuple(offers),
        failures=failures,
        problems=tuple(problems),
    )


def _checked_offers(hook: str, kind: Kind, found: object) -> list[Offer]:
    if found is None:
        return []
    if not isinstance(found, list | tuple):
        raise TypeError(f"{hook} returned a {type(found).__name__}, not a list of Offer")
    for offer in found:
        if not isinstance(offer, Offer):
            raise TypeError(f"{hook} returned a list with a {type(offer).__name__} in it")
        if offer.kind != kind:
            raise ValueError(f"{hook} offers {offer.driver!r} as {offer.kind!r}")
    return [checked_offer(offer) for offer in found]


def _take_stdout() -> Callable[[ProbeBegins | ProbeAnswer], None]:
    """Keep standard output for ourselves: what plugins print goes to standard error."""
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def write(message: ProbeBegins | ProbeAnswer) -> None:
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


if __name__ == "__main__":
    sys.exit(main())
