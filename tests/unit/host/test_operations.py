"""Looking after a running host: its plugins asked again, its machine examined, once at a time."""

import asyncio
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from punktfunk.config import load_config
from punktfunk.errors import Refused
from punktfunk.host.catalog import Catalog
from punktfunk.host.cleanup import Cleaner
from punktfunk.host.live_config import LiveConfig
from punktfunk.host.network import client_addresses
from punktfunk.host.once import Once
from punktfunk.host.operations import Operations
from punktfunk.model.offers import HostFacts, Kind
from punktfunk.registry.discovery import PluginFilter
from punktfunk.testing import write_distribution

PLUGIN = """
    from pathlib import Path

    from punktfunk.plugin import Availability, EncodeDriver, Kind, Manifest, Offer, hookimpl

    manifest = Manifest(api=1, title="Fickle")

    class FickleEncode(EncodeDriver):
        pass

    @hookimpl
    def encode_offers(host):
        there = Path({switch!r}).exists()
        with Path({asked!r}).open("a") as asked:
            asked.write("asked\\n")
        availability = Availability.yes() if there else Availability.no("it is switched off")
        return [Offer(kind=Kind.ENCODE, driver="fickle", rank=50, availability=availability)]
"""


class Fickle:
    """A host with one plugin, which can something while a file is there."""

    def __init__(self, folder: Path) -> None:
        self.switch, self.asked = folder / "switch", folder / "asked"
        self.told: list[dict[str, Any]] = []
        self.handed_over: list[tuple[str, ...]] = []
        config = folder / "config"
        config.mkdir()
        environment = {"PUNKTFUNK_PLUGINS__ALLOW": "fickle"}
        loaded = load_config(config, environment=environment)
        wanted = PluginFilter(allow=frozenset({"fickle"}))
        self.catalog = Catalog(loaded.settings, HostFacts(), wanted)
        self.operations = Operations(
            config=LiveConfig(loaded),
            config_dir=config,
            catalog=self.catalog,
            cleaner=Cleaner(folder / "journal", HostFacts(), wanted),
            calls=lambda: None,
            running=frozenset,
            publish=lambda event_type, /, **data: self.told.append({"type": event_type, **data}),
            hand_over=lambda: self.handed_over.append(self.catalog.plugins.names),
        )

    @property
    def offered(self) -> list[bool]:
        return [it.availability.available for it in self.catalog.offers(Kind.ENCODE)]

    def times_asked(self) -> int:
        return len(self.asked.read_text().splitlines())


@pytest.fixture
def fickle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fickle:
    source = PLUGIN.format(switch=str(tmp_path / "switch"), asked=str(tmp_path / "asked"))
    (tmp_path / "fickle_plugin.py").write_text(dedent(source))
    groups = {
        "punktfunk.plugins": {"fickle": "fickle_plugin"},
        "punktfunk.encode": {"fickle": "fickle_plugin:FickleEncode"},
    }
    write_distribution(tmp_path, "punktfunk-fickle", groups)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delitem(sys.modules, "fickle_plugin", raising=False)
    return Fickle(tmp_path)


async def test_plugins_that_are_asked_again_may_say_something_else(fickle: Fickle) -> None:
    await fickle.operations.probe()
    assert fickle.offered == [False]

    fickle.switch.touch()
    await fickle.operations.probe()

    assert fickle.offered == [True]


async def test_only_what_changed_is_told(fickle: Fickle) -> None:
    await fickle.operations.probe()
    fickle.told.clear()

    await fickle.operations.probe()
    assert fickle.told == []

    fickle.switch.touch()
    await fickle.operations.probe()
    assert fickle.told == [
        {"type": "plugins.changed", "plugin": "fickle", "state": "loaded", "reason": ""}
    ]


async def test_plugins_are_handed_over_when_one_comes_or_goes(
    fickle: Fickle, tmp_path: Path
) -> None:
    await fickle.operations.probe()
    await fickle.operations.probe()
    assert fickle.handed_over == [("fickle",)]

    module = tmp_path / "fickle_plugin.py"
    module.write_text("import os\n\nos.abort()\n")
    await fickle.operations.probe()

    assert fickle.handed_over == [("fickle",), ()]


async def test_those_who_ask_at_once_get_one_answer(fickle: Fickle) -> None:
    await asyncio.gather(*(fickle.operations.probe() for _ in range(5)))

    assert fickle.times_asked() == 1


async def test_the_doctors_last_word_is_remembered(fickle: Fickle) -> None:
    assert fickle.operations.examined is None

    first, second = await asyncio.gather(fickle.operations.doctor(), fickle.operations.doctor())

    assert first is second
    assert fickle.operations.examined is not None
    assert fickle.operations.examined.report is first
    assert fickle.times_asked() == 1


async def test_an_outlook_says_what_is_in_the_way(fickle: Fickle) -> None:
    await fickle.operations.probe()

    own, attach = fickle.operations.outlooks()

    assert (own.way, own.chosen, own.takes) == ("own", True, ())
    assert (attach.way, attach.chosen) == ("attach", False)
    assert own.problem


async def test_who_gives_up_waiting_stops_it_for_nobody() -> None:
    go = asyncio.Event()
    begun = []

    async def act() -> int:
        begun.append(None)
        await go.wait()
        return 7

    once = Once(act)
    impatient, patient = asyncio.create_task(once()), asyncio.create_task(once())
    await asyncio.sleep(0)
    impatient.cancel()
    go.set()

    assert await patient == 7
    assert len(begun) == 1
    assert impatient.cancelled()


async def test_when_it_is_called_off_nobody_waits_any_longer() -> None:
    once = Once(asyncio.Event().wait)
    waiting = [asyncio.create_task(once()) for _ in range(2)]
    await asyncio.sleep(0)

    await once.close()
    await once.close()

    assert [type(it) for it in await asyncio.gather(*waiting, return_exceptions=True)] == [
        Refused,
        Refused,
    ]


async def test_after_a_failure_it_is_tried_anew() -> None:
    outcomes: list[int | Exception] = [ValueError("no"), 7]

    async def act() -> int:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    once = Once(act)
    with pytest.raises(ValueError, match="no"):
        await once()

    assert await once() == 7


def test_clients_are_told_addresses_that_lead_here() -> None:
    assert client_addresses("192.168.1.2") == ("192.168.1.2",)
    everywhere = client_addresses("")
    assert everywhere
    assert len(set(everywhere)) == len(everywhere)
    assert not [it for it in client_addresses("0.0.0.0") if ":" in it]
